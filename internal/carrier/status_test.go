package carrier_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
)

const wholeStatus = `{
	"AccountNumber": "A-17", "Disputing": true, "EndUserName": "Jane Doe", "NumbersToPort": [4165550123, 4165550124],
	"PortDate": "20260309", "RejectReason": "Name mismatch", "RejectSummary": "1: name\r\n2: address", "Reseller": "Bell",
	"Status": "REJECTED", "TicketId": "T-1", "ValidationLSC": true, "NewMember": {"a": [null]},
	"RejectDetails": [{
		"RJCT CODE": "8A", "FORM": "LSR", "FLD ABBR": "NAME", "REMARKS": "no match", "RJCT REMARKS": "see bill",
		"PORTED #": "416-555-0123", "PORTED # RANGE": "0124", "DISC #": "416-555-0130", "DISC # RANGE": "0131"
	}, {}]
}`

func yes() *bool {
	b := true
	return &b
}

func TestAStatusIsReadWhole(t *testing.T) {
	t.Parallel()
	got, err := carrier.ReadStatus([]byte(wholeStatus))
	if err != nil {
		t.Fatal(err)
	}
	want := carrier.Status{
		Ticket: "T-1", Word: "REJECTED", Validated: true, Disputing: yes(), Numbers: []int64{4165550123, 4165550124},
		PortDate: "20260309", RejectReason: "Name mismatch", RejectSummary: "1: name  2: address", EndUserName: "Jane Doe",
		AccountNumber: "A-17", Reseller: "Bell",
		Rejects: []carrier.Reject{{
			Code: "8A", Form: "LSR", Field: "NAME", Remarks: "no match", RejectRemarks: "see bill",
			Ported: "416-555-0123", PortedRange: "0124", Disconnect: "416-555-0130", DiscRange: "0131",
		}, {}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestAStatusMayLeaveAlmostEverythingOut(t *testing.T) {
	t.Parallel()
	pending := carrier.Status{Word: "PENDING"}
	for body, want := range map[string]carrier.Status{
		`{"Status":"PENDING"}`: pending,
		`{"Status":"PENDING","ValidationLSC":null,"TicketId":null,"NumbersToPort":null,"RejectDetails":null,"Disputing":null}`: pending,
		`{"Status":"PENDING","NumbersToPort":[]}`:                   pending,
		`{"Status":"PENDING","ValidationLSC":true}`:                 {Word: "PENDING", Validated: true},
		`{"Status":"NEW WORD\u0000","TicketId":"../x"}`:             {Word: "NEW WORD", Ticket: "../x"},
		`{"Status":"PENDING","NumbersToPort":[4165550123]}`:         {Word: "PENDING", Numbers: []int64{4165550123}},
		`{"Status":"PENDING","NumbersToPort":[4165550123,1]}`:       pending, // half a list would match another order
		`{"Status":"PENDING","NumbersToPort":[14165550123]}`:        pending,
		`{"Status":"PENDING","NumbersToPort":[4165550123,-416555]}`: pending,
	} {
		got, err := carrier.ReadStatus([]byte(body))
		if err != nil || !cmp.Equal(want, got) {
			t.Errorf("%s is %+v, error %v", body, got, err)
		}
	}
}

func TestAStatusThatIsNoneIsUnreadable(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `null`, `[]`, `"PENDING"`, `{}`, `{"status":"PENDING"}`, `{"Status":""}`, `{"Status":null}`, `{"Status":1}`,
		`{"Status":"PENDING","Status":"COMPLETED"}`, `{"Status":"PENDING"}{}`, `{"Status":"PENDING","ValidationLSC":"true"}`,
		`{"Status":"PENDING","TicketId":1}`, `{"Status":"PENDING","TicketId":"a\nb"}`, `{"Status":"PENDING","Disputing":0}`,
		`{"Status":"PENDING","NumbersToPort":["4165550123"]}`, `{"Status":"PENDING","NumbersToPort":4165550123}`,
		`{"Status":"PENDING","NumbersToPort":[4165550123.0]}`, `{"Status":"PENDING","NumbersToPort":{"a":1}}`,
		`{"Status":"PENDING","RejectDetails":[1]}`, `{"Status":"PENDING","RejectDetails":[{"FORM":1}]}`,
		`{"Status":"PENDING","PortDate":20260309}`, `{"Status":"PENDING","EndUserName":["Jane"]}`,
	} {
		if got, err := carrier.ReadStatus([]byte(body)); err == nil || !cmp.Equal(got, carrier.Status{}) {
			t.Errorf("%s is %+v, error %v", body, got, err)
		} else if strings.Contains(err.Error(), "4165550123") || strings.Contains(err.Error(), "PENDING") {
			t.Errorf("%s: the error quotes it: %v", body, err)
		}
	}
}

// An answer of a mebibyte has room for a third of a million empty records, each of which is told with some hundred bytes of text.
func TestRejectsAreBounded(t *testing.T) {
	t.Parallel()
	records := strings.Repeat(`{"RJCT CODE":"1A"},`, 5000) + strings.Repeat(`{},`, 300_000) + `{}`
	got, err := carrier.ReadStatus([]byte(`{"Status":"REJECTED","RejectDetails":[` + records + `]}`))
	if err != nil || len(got.Rejects) != 5000 || got.Rejects[4999].Code != "1A" {
		t.Errorf("%d records, error %v; want the first 5,000", len(got.Rejects), err)
	}
}

func TestFault26_TicketsAreEscapedOrRefused(t *testing.T) {
	t.Parallel()
	var asked atomic.Pointer[http.Request]
	base, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r)
		answering(200, typeJSON, wholeStatus)(w, r)
	})
	c := client(t, settings(base+"/rest.svc"))
	for _, ticket := range []string{
		"T-1", "a;b", "a b", "ö", "a&b=c", "@host", "...", strings.Repeat("x", 256),
	} {
		asked.Store(nil)
		status, err := c.StatusByTicket(t.Context(), ticket)
		if err != nil || status.Word != "REJECTED" {
			t.Fatalf("%q: %+v, %v", ticket, status, err)
		}
		want := "/rest.svc/v2/NumberPorts/Inbound/Tickets/" + url.PathEscape(ticket) + "/PortInStatus"
		if got := asked.Load().RequestURI; got != want {
			t.Errorf("%q asked for %q, want %q", ticket, got, want)
		}
	}
	for _, ticket := range []string{
		"a/b", "../../Users/Current/Account", "%2F", "..%2f", "a?b=c", "a#b", `a\b`,
		"", ".", "..", "a\r\nHost: evil", "a\x00b", "a\u202eb", " a", "\xff", strings.Repeat("x", 257),
	} {
		asked.Store(nil)
		_, err := c.StatusByTicket(t.Context(), ticket)
		if !fault.Is(err, fault.ReasonInvalidFields) || asked.Load() != nil {
			t.Errorf("%q: error %v, asked: %v", ticket, err, asked.Load() != nil)
		}
	}
}

func TestNumbersThatCannotBeAreNotAskedFor(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	base, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.RequestURI != "/v2/NumberPorts/Inbound/Numbers/4165550123/PortInStatus" {
			t.Errorf("asked for %q", r.RequestURI)
		}
		answering(200, typeJSON, wholeStatus)(w, r)
	})
	c := client(t, settings(base))
	for _, number := range []int64{0, -4165550123, 416555012, 1165550123, 4161550123, 4160550123, 14165550123, 41655501234} {
		if _, err := c.StatusByNumber(t.Context(), number); !fault.Is(err, fault.ReasonInvalidFields) {
			t.Errorf("%d: %v", number, err)
		}
	}
	if _, err := c.StatusByNumber(t.Context(), 4165550123); err != nil || asked.Load() != 1 {
		t.Errorf("error %v, asked %d times", err, asked.Load())
	}
}
