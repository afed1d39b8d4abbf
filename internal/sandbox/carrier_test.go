package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAuthentication(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Username: "user", Password: "word"})
	for _, c := range []struct {
		username, password string
		want               int
	}{
		{"user", "word", 200}, {"user", "wrong", 401}, {"sandbox", "sandbox", 401}, {"", "", 401}, {"user", "", 401}, {"userw", "ord", 401},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			path, body := "/SipTrunks", []byte(nil)
			if method == http.MethodPost {
				path, body = didPath, encode(t, did(4165550123))
			}
			request, err := http.NewRequest(method, b.url+BasePath+path, bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if c.username != "" {
				request.SetBasicAuth(c.username, c.password)
			}
			request.Header.Set("Content-Type", "application/json")
			answer := b.send(request)
			if answer.status != c.want {
				t.Errorf("%s as %q:%q answered %d, want %d", method, c.username, c.password, answer.status, c.want)
			}
			if c.want == 401 && (answer.exceptionMessage(t) == "" || answer.header.Get("WWW-Authenticate") == "") {
				t.Errorf("401 with %v", answer.header)
			}
		}
	}
	// Those that were turned away count too, and made nothing.
	if b.OrdersFor(4165550123) != 6 || len(b.Tickets()) != 1 {
		t.Errorf("%d orders and %d tickets", b.OrdersFor(4165550123), len(b.Tickets()))
	}
	if answer := b.get(BasePath + "/Nowhere"); answer.status != 401 {
		t.Errorf("an unknown path answered %d before the password", answer.status)
	}
}

func TestReceived(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	body := encode(t, did(4165550123, 4165550124))
	b.do(t.Context(), http.MethodPost, BasePath+didPath, body)
	refused := did(4165550123)
	refused["Bogus"] = 1
	b.order(didPath, refused)
	b.get(BasePath + "/SipTrunks?x=1")
	b.get(BasePath + "/Nowhere")

	received := b.Received()
	for i := range received {
		if received[i].Header.Get("Authorization") != "" || received[i].Header.Get("User-Agent") == "" {
			t.Errorf("headers %v", received[i].Header)
		}
		received[i].Header, received[i].journal, received[i].isOrder = nil, nil, false
	}
	want := []Received{
		{
			Seq: 1, At: noon, Method: "POST", Path: BasePath + didPath, Account: "sandbox", Body: body, BodySize: len(body),
			Numbers: []int64{4165550123, 4165550124}, Outcome: "accepted", Ticket: b.Tickets()[0].ID,
		},
		{
			Seq: 2, At: noon, Method: "POST", Path: BasePath + didPath, Account: "sandbox", Body: encode(t, refused), BodySize: len(encode(t, refused)),
			Numbers: []int64{4165550123}, Outcome: OutcomeRefused, Refusal: "Bogus: unknown member (the carrier would drop it without an error)",
		},
		{Seq: 3, At: noon, Method: "GET", Path: BasePath + "/SipTrunks", Account: "sandbox", Body: []byte{}, Outcome: OutcomeAnswered},
		{Seq: 4, At: noon, Method: "GET", Path: BasePath + "/Nowhere", Account: "sandbox", Body: []byte{}, Outcome: OutcomeUnrouted},
	}
	if diff := cmp.Diff(want, received, cmp.AllowUnexported(Received{})); diff != "" {
		t.Errorf("want -, have +\n%s", diff)
	}
	wantCounts := Counts{Orders: 2, ByPath: map[string]int{didPath: 2}, ByNumber: map[int64]int{4165550123: 2, 4165550124: 1}, Tickets: 1}
	if diff := cmp.Diff(wantCounts, b.Counts()); diff != "" {
		t.Errorf("want -, have +\n%s", diff)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	j := newJournal()
	request, err := http.NewRequest(http.MethodGet, "http://example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 20<<20)
	for range 5 {
		j.settle(j.open(request, nil, "", noon), big, OutcomeAnswered)
	}
	var kept []bool
	for _, entry := range j.list() {
		kept = append(kept, entry.Body != nil && !entry.BodyDropped && entry.BodySize == len(big))
	}
	if diff := cmp.Diff([]bool{false, false, true, true, true}, kept); diff != "" || j.bodyBytes != 60<<20 {
		t.Errorf("%d bytes are kept; want -, have +\n%s", j.bodyBytes, diff)
	}
	late := j.open(request, nil, "", noon)
	for range maxReceived {
		j.settle(j.open(request, nil, "", noon), []byte("x"), OutcomeAnswered)
	}
	j.settle(late, big, OutcomeAnswered)
	if list := j.list(); len(list) != maxReceived || list[0].Seq != 7 || j.bodyBytes != maxReceived {
		t.Errorf("%d entries from %d on with %d bytes", len(list), list[0].Seq, j.bodyBytes)
	}
}

// TestLargeBodies: documents of the size that a client may send are taken, and
// what is far beyond it is answered, not cut.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	body := did(4165550123)
	document := map[string]any{"ContentType": "application/pdf", "FileName": "invoice.pdf", "Base64Contents": strings.Repeat("QUJD", 6<<20)}
	body.object("PortForm")["FileLastInvoice"] = []any{document}
	if answer := b.order(didPath, body); answer.mask(t) == "" {
		t.Error("no ticket for 24 MiB")
	}
	tooLarge := bytes.Repeat([]byte{' '}, maxBody+1)
	for _, path := range []string{didPath, "/NumberPorts/LNP/NPANXX/Check"} {
		answer := b.do(t.Context(), http.MethodPost, BasePath+path, tooLarge)
		if answer.status != http.StatusRequestEntityTooLarge || answer.exceptionMessage(t) == "" {
			t.Errorf("%s answered %d", path, answer.status)
		}
	}
	if entry := b.Received()[1]; entry.Outcome != OutcomeTooLarge {
		t.Errorf("noted as %s", entry.Outcome)
	}
}

// TestManyOrdersAtOnce: nothing is lost or counted twice.
func TestManyOrdersAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() { b.order(didPath, did(4165550100+int64(i%50))) })
	}
	if err := b.AwaitOrders(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	group.Wait()
	ids := map[string]bool{}
	for _, ticket := range b.Tickets() {
		ids[ticket.ID] = true
	}
	if counts := b.Counts(); counts.Orders != 100 || counts.Tickets != 100 || len(ids) != 100 || counts.ByNumber[4165550149] != 2 {
		t.Errorf("counts %+v, %d ids", counts, len(ids))
	}
}

func TestAwaitOrdersGivesUp(t *testing.T) {
	t.Parallel()
	carrier := mustNew(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := carrier.AwaitOrders(ctx, 1); err == nil || !strings.Contains(err.Error(), "0 of 1") {
		t.Errorf("error %v", err)
	}
}

// TestReset: as at the start, but for ticket ids.
func TestReset(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Unknowns: Unknowns{None: NoneNull}})
	first := b.order(didPath, did(4165550123)).mask(t)
	b.Advance(time.Hour)
	if err := b.SetUnknowns(Unknowns{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Next("slow"); err != nil {
		t.Fatal(err)
	}
	if err := b.FailLookups(StatusLookups, 1, "html-502"); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	if diff := cmp.Diff(Counts{ByPath: map[string]int{}, ByNumber: map[int64]int{}}, b.Counts()); diff != "" {
		t.Error(diff)
	}
	if len(b.Received())+len(b.Tickets())+len(b.Waiting()) != 0 || !b.Now().Equal(noon) || b.Unknowns().None != NoneNull {
		t.Errorf("received %v, tickets %v, waiting %v, now %v, %v", b.Received(), b.Tickets(), b.Waiting(), b.Now(), b.Unknowns())
	}
	if answer := b.statusOf("4165550123"); string(answer.body) != "null" {
		t.Errorf("%d %s", answer.status, answer.body)
	}
	if second := b.order(didPath, did(4165550123)).mask(t); second == first {
		t.Errorf("the ticket %s came again", second)
	}
}

// TestResetInTheMiddle: an order that is under way at a reset is not counted
// afterwards, and disturbs nobody.
func TestResetInTheMiddle(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	text := encode(t, did(4165550123))
	conn := b.dial()
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s%s HTTP/1.1\r\nHost: x\r\nAuthorization: Basic c2FuZGJveDpzYW5kYm94\r\n", BasePath, didPath)
	fmt.Fprintf(conn, "Content-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", len(text))
	for b.Counts().Orders == 0 {
		b.get(BasePath + "/SipTrunks") // until the server has seen the headers
	}
	b.Reset()
	if _, err := conn.Write(text); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(answer), `"Reply":1`) {
		t.Errorf("answered %q, %v", answer, err)
	}
	if len(b.Received()) != 0 || b.Counts().Orders != 0 {
		t.Errorf("received %v, counts %+v", b.Received(), b.Counts())
	}
}

// TestCloseEndsWhatHangs: requests that are held, dripped and flooded, to clients
// that stay, all end with Close.
func TestCloseEndsWhatHangs(t *testing.T) {
	t.Parallel()
	slowest := Config{Delay: time.Hour, DripInterval: time.Hour, HugeBytes: 1 << 40}
	for _, name := range []string{"timeout-after-body", "slow", "drip", "huge-body", "gzip-bomb"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, slowest)
			if err := b.Next(name); err != nil {
				t.Fatal(err)
			}
			conn := b.rawOrder(did(4165550123)) // it never reads
			defer conn.Close()
			if err := b.AwaitOrders(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			// newBench's clean-up would wait for the handler for ever.
		})
	}
}

// TestCloseEndsAnUnfinishedRequest: a client that never sends its body does not
// hold the server.
func TestCloseEndsAnUnfinishedRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	conn := b.dial()
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s%s HTTP/1.1\r\nHost: x\r\nAuthorization: Basic c2FuZGJveDpzYW5kYm94\r\nContent-Length: 1000\r\n\r\n{", BasePath, didPath)
	for b.Counts().Orders == 0 {
		b.get(BasePath + "/SipTrunks") // until the server has seen the headers
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// TestAClientThatLeavesMidBody is counted, and orders nothing.
func TestAClientThatLeavesMidBody(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	conn := b.dial()
	fmt.Fprintf(conn, "POST %s%s HTTP/1.1\r\nHost: x\r\nAuthorization: Basic c2FuZGJveDpzYW5kYm94\r\nContent-Length: 1000\r\n\r\n{", BasePath, didPath)
	conn.Close()
	if err := b.AwaitOrders(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if entry := b.Received()[0]; entry.Outcome != OutcomeUnread || len(b.Tickets()) != 0 || b.Counts().Orders != 1 {
		t.Errorf("noted as %+v", entry)
	}
}

func (b *bench) dial() net.Conn {
	b.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		b.t.Fatal(err)
	}
	return conn
}

// rawOrder writes an order to a connection of its own and leaves it open.
func (b *bench) rawOrder(body object) net.Conn {
	b.t.Helper()
	text := encode(b.t, body)
	conn := b.dial()
	fmt.Fprintf(conn, "POST %s%s HTTP/1.1\r\nHost: x\r\nAuthorization: Basic c2FuZGJveDpzYW5kYm94\r\n", BasePath, didPath)
	fmt.Fprintf(conn, "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
	return conn
}

func TestHolidays(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	var have []holiday
	b.get(BasePath+"/Holidays").decode(t, &have)
	want := []holiday{
		{"2026-12-25", "Christmas Day"},
		{"2026-12-26", "Boxing Day"},
		{"2027-01-01", "New Year's Day"},
		{"2027-03-26", "Good Friday"},
		{"2027-05-24", "Victoria Day"},
		{"2027-07-01", "Canada Day"},
		{"2027-09-06", "Labour Day"},
		{"2027-09-30", "National Day for Truth and Reconciliation"},
		{"2027-10-11", "Thanksgiving"},
		{"2027-11-11", "Remembrance Day"},
		{"2027-12-25", "Christmas Day"},
		{"2027-12-26", "Boxing Day"},
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("want -, have +\n%s", diff)
	}
	b.Advance(39 * 24 * time.Hour) // 1 January 2027: that year and the next
	b.get(BasePath+"/Holidays").decode(t, &have)
	if len(have) != 20 || have[0].Date != "2027-01-01" || have[19].Date != "2028-12-26" {
		t.Errorf("a year later: %v", have)
	}
	for year, want := range map[int]string{2024: "2024-03-29", 2025: "2025-04-18", 2026: "2026-04-03", 2028: "2028-04-14", 2038: "2038-04-23"} {
		if friday := federalHolidays(year)[1].Date; friday != want {
			t.Errorf("Good Friday %s, want %s", friday, want)
		}
	}
}
