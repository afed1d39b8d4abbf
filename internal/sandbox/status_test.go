package sandbox

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// looks are when TestScenarios asks for a status, counted from the order.
var looks = []time.Duration{0, 2 * time.Hour, 48 * time.Hour, 72 * time.Hour, 120 * time.Hour, 240 * time.Hour, 408 * time.Hour, 720 * time.Hour}

// TestScenarios follows an order through each scenario. A status is written as its
// word, with d for disputing, v for validated and the PortDate.
func TestScenarios(t *testing.T) {
	t.Parallel()
	const (
		asked = " v 20261203" // ten days after the order
		moved = " v 20261210"
	)
	want := map[string][]string{
		"completes":           {"PENDING", "SUBMITTED", "CONFIRMED" + asked, "CONFIRMED" + asked, "CONFIRMED" + asked, "COMPLETED" + asked, "COMPLETED" + asked, "COMPLETED" + asked},
		"stays-pending":       {"PENDING", "PENDING", "PENDING", "PENDING", "PENDING", "PENDING", "PENDING", "PENDING"},
		"stays-submitted":     {"PENDING", "SUBMITTED", "SUBMITTED", "SUBMITTED", "SUBMITTED", "SUBMITTED", "SUBMITTED", "SUBMITTED"},
		"provisional":         {"PENDING", "SUBMITTED", "CONFIRMED 20261203", "CONFIRMED" + asked, "CONFIRMED" + asked, "COMPLETED" + asked, "COMPLETED" + asked, "COMPLETED" + asked},
		"date-change":         {"PENDING", "SUBMITTED", "CONFIRMEDwDATECHANGE" + moved, "CONFIRMEDwDATECHANGE" + moved, "CONFIRMEDwDATECHANGE" + moved, "CONFIRMEDwDATECHANGE" + moved, "COMPLETED" + moved, "COMPLETED" + moved},
		"exception":           {"PENDING", "SUBMITTED", "CONFIRMEDwEXCEPTION" + asked, "CONFIRMEDwEXCEPTION" + asked, "CONFIRMEDwEXCEPTION" + asked, "CONFIRMEDwEXCEPTION" + asked, "CONFIRMEDwEXCEPTION" + asked, "CONFIRMEDwEXCEPTION" + asked},
		"hold":                {"PENDING", "SUBMITTED", "HOLD v", "HOLD v", "HOLD v", "HOLD v", "HOLD v", "HOLD v"},
		"rescheduled":         {"PENDING", "SUBMITTED", "CONFIRMED" + asked, "RESCHEDULED" + moved, "RESCHEDULED" + moved, "RESCHEDULED" + moved, "COMPLETED" + moved, "COMPLETED" + moved},
		"rejected-by-carrier": {"PENDING", "SUBMITTED", "REJECTED v", "REJECTED v", "REJECTED v", "REJECTED v", "REJECTED v", "REJECTED v"},
		"disputed":            {"PENDING", "SUBMITTED", "REJECTED d v", "REJECTED d v", "CONFIRMED" + asked, "COMPLETED" + asked, "COMPLETED" + asked, "COMPLETED" + asked},
		"corrected":           {"PENDING", "SUBMITTED", "REJECTED v", "SUBMITTED", "CONFIRMED" + asked, "COMPLETED" + asked, "COMPLETED" + asked, "COMPLETED" + asked},
		"cancelled":           {"PENDING", "SUBMITTED", "CANCELLATIONPENDING v", "CANCELLED v", "CANCELLED v", "CANCELLED v", "CANCELLED v", "CANCELLED v"},
		"cancelled-in-part":   {"PENDING", "SUBMITTED", "PARTIALCANCELLATION" + asked, "PARTIALCANCELLATION" + asked, "PARTIALCANCELLATION" + asked, "COMPLETED" + asked, "COMPLETED" + asked, "COMPLETED" + asked},
		"cancelled-in-full":   {"PENDING", "SUBMITTED", "CANCELLATIONPENDING v", "FULLCANCELLATION v", "FULLCANCELLATION v", "FULLCANCELLATION v", "FULLCANCELLATION v", "FULLCANCELLATION v"},
		"expired":             {"PENDING", "SUBMITTED", "SUBMITTED", "SUBMITTED", "SUBMITTED", "SUBMITTED", "SUBMITTED", "EXPIRED v"},
		"unknown-word":        {"PENDING", "SUBMITTED", "ESCALATED v", "ESCALATED v", "ESCALATED v", "ESCALATED v", "ESCALATED v", "ESCALATED v"},
	}
	words := map[string]bool{}
	for _, s := range Scenarios() {
		b := newBench(t, Config{})
		placed := b.order(didPath, named(did(4165550123, 4165550124), "Sandbox "+s.Name)).mask(t)
		var have []string
		for i, at := range looks {
			if i > 0 {
				b.Advance(at - looks[i-1])
			}
			answer := b.statusOfTicket(placed)
			var status portInStatus
			answer.decode(t, &status)
			have = append(have, written(status))
			words[status.Status] = true
			if s.Name != "unknown-word" {
				checkAnswer(t, b.spec.schemas["PortInStatus"], answer.body)
			}
		}
		if diff := cmp.Diff(want[s.Name], have); diff != "" {
			t.Errorf("%s: want -, have +\n%s", s.Name, diff)
		}
	}
	for _, word := range mustNew(t, Config{}).spec.schemas["PortInStatus"].Properties["Status"].Enum {
		if !words[word.(string)] {
			t.Errorf("no scenario comes to %v", word)
		}
	}
}

func written(s portInStatus) string {
	text := s.Status
	if s.Disputing != nil && *s.Disputing {
		text += " d"
	}
	if s.ValidationLSC {
		text += " v"
	}
	if s.PortDate != "" {
		text += " " + s.PortDate
	}
	return text
}

func TestStatusOfARejectedOrder(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	body := named(did(4165550123, 4165550124), "Sandbox rejected-by-carrier")
	set(body.object("PortForm"), "CurrentReseller", "Example Reseller")
	placed := b.order(didPath, body).mask(t)
	b.Advance(48 * time.Hour)
	answer := b.statusOfTicket(placed)
	var status portInStatus
	answer.decode(t, &status)
	no := false
	want := portInStatus{
		AccountNumber: "ACC-1",
		Disputing:     &no,
		EndUserName:   "Sandbox rejected-by-carrier",
		NumbersToPort: []int64{4165550123, 4165550124},
		RejectDetails: []rejectDetail{
			{Code: "AN", Form: "LSR", Field: "AN", RejectRemarks: "Account number does not match the record"},
			{
				Code: "TN", Form: "NP", Field: "PORTED NBR", Ported: "416-555-0123", PortedRange: "0124", Disconnect: "416-555-0123",
				DisconnectRange: "0124", Remarks: "Call the customer", RejectRemarks: "Number is not on this account",
			},
			{Code: "ZZ", Form: "EU", Field: "XQ9", RejectRemarks: "Motif non répertorié"},
		},
		RejectReason:  "Account number does not match the record",
		RejectSummary: "AN: Account number does not match the record\nTN: Number is not on this account\nZZ: Motif non répertorié",
		Reseller:      "Example Reseller",
		Status:        "REJECTED",
		TicketID:      placed,
		ValidationLSC: true,
	}
	if diff := cmp.Diff(want, status); diff != "" {
		t.Errorf("want -, have +\n%s", diff)
	}
	for _, name := range []string{`"RJCT CODE"`, `"PORTED #"`, `"PORTED # RANGE"`, `"DISC # RANGE"`, `"FLD ABBR"`} {
		if !strings.Contains(string(answer.body), name) {
			t.Errorf("no member %s in %s", name, answer.body)
		}
	}
}

// TestPortDate: the date that was asked for, but a port is not within 72 hours.
func TestPortDate(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]time.Time{
		"2026-12-15": time.Date(2026, 12, 15, 22, 0, 0, 0, time.UTC),
		"2026-11-24": noon.Add(72 * time.Hour),
		"2020-01-01": noon.Add(72 * time.Hour),
		"":           noon.Add(240 * time.Hour),
	} {
		tk := &ticket{opened: noon, requested: asked, scenario: scenarios()[0]}
		if have := tk.portTime(0); !have.Equal(want) {
			t.Errorf("asked for %q: the port is at %v, want %v", asked, have, want)
		}
		if before, at := tk.current(want.Add(-time.Second)).word, tk.current(want).word; before != "CONFIRMED" || at != "COMPLETED" {
			t.Errorf("asked for %q: %s, then %s", asked, before, at)
		}
	}
}

func TestTheSameOrderTwiceIsTwoTickets(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	first, second := b.order(didPath, did(4165550123)).mask(t), b.order(didPath, did(4165550123)).mask(t)
	if first == second || len(b.Tickets()) != 2 || b.OrdersFor(4165550123) != 2 {
		t.Errorf("tickets %q and %q, %d orders", first, second, b.OrdersFor(4165550123))
	}
	for _, id := range []string{first, second} {
		var status portInStatus
		b.statusOfTicket(id).decode(t, &status)
		if status.TicketID != id {
			t.Errorf("asked for %q, have %q", id, status.TicketID)
		}
	}
}

func TestSetStatus(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	placed := b.order(didPath, did(4165550123)).mask(t)
	change := StatusChange{Status: "REJECTED", Disputing: true, Provisional: true, PortDate: "20270101"}
	if err := b.SetStatus(placed, change); err != nil {
		t.Fatal(err)
	}
	b.Advance(1000 * time.Hour) // the scenario is over
	var status portInStatus
	b.statusOf("4165550123").decode(t, &status)
	if written(status) != "REJECTED d 20270101" || len(status.RejectDetails) != 3 {
		t.Errorf("status %+v", status)
	}
	if err := b.SetStatus("SANDBOX-0", change); err == nil {
		t.Error("set the status of no ticket")
	}
	if err := b.SetStatus(placed, StatusChange{}); err == nil {
		t.Error("set no status")
	}
}

func TestPlaceElsewhere(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	placed, err := b.PlaceElsewhere(Elsewhere{Numbers: []int64{4165550123}, Scenario: "hold", Age: Duration(50 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	var status portInStatus
	b.statusOf("4165550123").decode(t, &status)
	if status.Status != "HOLD" || status.TicketID != placed.ID || b.Counts().Orders != 0 || b.Counts().Tickets != 1 {
		t.Errorf("status %+v of %+v, counts %+v", status, placed, b.Counts())
	}
	for _, wrong := range []Elsewhere{{}, {Numbers: []int64{5}}, {Numbers: []int64{4165550123}, Scenario: "nothing"}, {Numbers: []int64{4165550123}, Age: -1}} {
		if _, err := b.PlaceElsewhere(wrong); err == nil {
			t.Errorf("placed %+v", wrong)
		}
	}
}

// TestFailingLookups: as many look-ups of a family as were asked for, each with
// its outcome, then the truth again.
func TestFailingLookups(t *testing.T) {
	t.Parallel()
	b := newBench(t, quick)
	b.order(didPath, did(4165550123)).mask(t)
	for _, f := range []struct {
		family Lookups
		count  int
		name   string
	}{{StatusLookups, 2, "exception-500"}, {StatusLookups, 1, "html-404"}, {StatusLookups, 1, "cut-after-body"}, {StatusLookups, 1, "slow"}, {CatalogueLookups, 1, "throttled"}} {
		if err := b.FailLookups(f.family, f.count, f.name); err != nil {
			t.Fatal(err)
		}
	}
	var have []int
	for range 6 {
		have = append(have, b.statusOf("4165550123").status)
	}
	if want := []int{500, 500, 404, 0, 200, 200}; !slices.Equal(have, want) {
		t.Errorf("statuses %v, want %v", have, want)
	}
	if first, second := b.get(BasePath+"/SipTrunks").status, b.get(BasePath+"/SipTrunks").status; first != http.StatusTooManyRequests || second != 200 {
		t.Errorf("trunks answered %d, then %d", first, second)
	}
	for _, wrong := range []struct {
		family Lookups
		count  int
		name   string
	}{{"orders", 1, "slow"}, {StatusLookups, -1, "slow"}, {StatusLookups, 1, "rejected"}, {StatusLookups, 1, "cut-before-body"}, {StatusLookups, 1, "hold"}} {
		if err := b.FailLookups(wrong.family, wrong.count, wrong.name); err == nil {
			t.Errorf("took %+v", wrong)
		}
	}
}

// TestEveryOutcomeForLookups: what is not about orders spoils a look-up too.
func TestEveryOutcomeForLookups(t *testing.T) {
	t.Parallel()
	for _, o := range Outcomes() {
		if o.is(ordersOnly) || o.is(beforeBody) || strings.HasPrefix(o.Name, "timeout") || strings.HasPrefix(o.Name, "redirect") {
			continue
		}
		b := newBench(t, quick)
		truth := b.get(BasePath + "/SipTrunks")
		if err := b.FailLookups(CatalogueLookups, 1, o.Name); err != nil {
			t.Fatal(err)
		}
		spoilt := b.get(BasePath + "/SipTrunks")
		harmless := slices.Contains([]string{"slow", "drip", "huge-header"}, o.Name)
		if same := bytes.Equal(spoilt.body, truth.body) && spoilt.status == 200; same != harmless {
			t.Errorf("%s: status %d, error %v, body %.80s", o.Name, spoilt.status, spoilt.err, spoilt.body)
		}
	}
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	b.order(didPath, did(4165550123, 4165550124)).mask(t)
	b.order(didPath, named(did(4165550125), "Sandbox cancelled")).mask(t)
	b.Advance(72 * time.Hour)
	first := dashboardOrder{OrderID: 1, Requests: []dashboardRequest{{
		Assessment: "Pending", HappyFoxTicket: "PORT000001", RequestIdx: 1,
		NumberToPort: []dashboardNumber{{true, "4165550123"}, {true, "4165550124"}},
	}}}
	second := dashboardOrder{OrderID: 2, Requests: []dashboardRequest{{
		Assessment: "Closed", HappyFoxTicket: "PORT000002", RequestIdx: 1,
		NumberToPort: []dashboardNumber{{false, "4165550125"}},
	}}}
	const base = BasePath + "/v2/NumberPorts/Inbound/Dashboard/PortInInfo"
	for path, want := range map[string][]dashboardOrder{
		"":                           {first, second},
		"/Orders/2":                  {second},
		"/Orders/2/1":                {second},
		"/Orders/2/2":                {},
		"/Orders/3":                  {},
		"/OrdersByNumber/4165550124": {first},
		"/OrdersByNumber/4165550199": {},
	} {
		var have customerInfo
		b.get(base+path).decode(t, &have)
		if diff := cmp.Diff(customerInfo{want}, have); diff != "" {
			t.Errorf("%s: want -, have +\n%s", path, diff)
		}
	}
	for _, path := range []string{"/Orders/one", "/OrdersByNumber/416"} {
		if answer := b.get(base + path); answer.status != http.StatusBadRequest {
			t.Errorf("%s answered %d", path, answer.status)
		}
	}
}
