package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// placedUnder posts one order under a position of the switches.
func placedUnder(t *testing.T, u Unknowns, outcome string) (*bench, got) {
	t.Helper()
	b := newBench(t, Config{Unknowns: u})
	answer := b.order(didPath, named(did(4165550123), "Sandbox "+outcome))
	return b, answer
}

func TestTicketIDSwitch(t *testing.T) {
	t.Parallel()
	for position, want := range map[TicketID]struct{ differ, found bool }{
		TicketIDSame:  {false, true},
		TicketIDAlias: {true, true},
		TicketIDOther: {true, false},
	} {
		b, answer := placedUnder(t, Unknowns{TicketID: position}, "accepted")
		mask := answer.mask(t)
		var status portInStatus
		b.statusOf("4165550123").decode(t, &status)
		if (status.TicketID != mask) != want.differ || !strings.HasPrefix(mask, "SANDBOX-") || !strings.HasPrefix(status.TicketID, "SANDBOX-") {
			t.Errorf("%s: TicketMask %q, TicketId %q", position, mask, status.TicketID)
		}
		if found := b.statusOfTicket(mask).status == http.StatusOK; found != want.found {
			t.Errorf("%s: found by TicketMask: %v", position, found)
		}
		if found := b.statusOfTicket(status.TicketID).status == http.StatusOK; !found {
			t.Errorf("%s: not found by TicketId", position)
		}
	}
}

func TestDeferredSwitch(t *testing.T) {
	t.Parallel()
	for _, outcome := range []string{"deferred", "conditional"} {
		for position, want := range map[DeferredTicket]struct{ member, filled, exists bool }{
			DeferredTicketed: {true, true, true},
			DeferredEmpty:    {true, false, true},
			DeferredMissing:  {false, false, true},
			DeferredNever:    {true, false, false},
		} {
			b, answer := placedUnder(t, Unknowns{Deferred: position}, outcome)
			mask := answer.reply(t).TicketMask
			if (mask != nil) != want.member || (mask != nil && *mask != "") != want.filled {
				t.Errorf("%s, %s: %s", outcome, position, answer.body)
			}
			if exists := b.statusOf("4165550123").status == http.StatusOK; exists != want.exists {
				t.Errorf("%s, %s: there is a ticket: %v", outcome, position, exists)
			}
		}
	}
}

func TestByNumberSwitch(t *testing.T) {
	t.Parallel()
	for _, position := range []ByNumber{ByNumberNewest, ByNumberOldest, ByNumberAny} {
		b := newBench(t, Config{Unknowns: Unknowns{ByNumber: position}, Seed: 1})
		first, second := b.order(didPath, did(4165550123)).mask(t), b.order(didPath, did(4165550123)).mask(t)
		seen := map[string]bool{}
		for range 20 {
			var status portInStatus
			b.statusOf("4165550123").decode(t, &status)
			seen[status.TicketID] = true
		}
		var want map[string]bool
		switch position {
		case ByNumberNewest:
			want = map[string]bool{second: true}
		case ByNumberOldest:
			want = map[string]bool{first: true}
		case ByNumberAny:
			want = map[string]bool{first: true, second: true}
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("%s: want -, have +\n%s", position, diff)
		}
	}
}

func TestNumbersSwitch(t *testing.T) {
	t.Parallel()
	for position, want := range map[StatusNumbers]string{
		NumbersListed: `"NumbersToPort":[4165550123]`,
		NumbersEmpty:  `"NumbersToPort":[]`,
		NumbersAbsent: "",
	} {
		b, _ := placedUnder(t, Unknowns{Numbers: position}, "accepted")
		body := string(b.statusOf("4165550123").body)
		if !strings.Contains(body, want) || strings.Contains(body, "NumbersToPort") != (want != "") {
			t.Errorf("%s: %s", position, body)
		}
	}
}

func TestNoneSwitch(t *testing.T) {
	t.Parallel()
	for position, want := range map[NoneAnswer]struct {
		status int
		body   string
	}{
		NoneNotFound: {404, `"Message":"No port-in order was found"`},
		NoneBlank:    {200, `{"Status":"","ValidationLSC":false}`},
		NoneEmpty:    {200, ""},
		NoneNull:     {200, "null"},
		NoneHTML:     {404, htmlPage},
	} {
		b := newBench(t, Config{Unknowns: Unknowns{None: position}})
		for _, answer := range []got{b.statusOf("4165550123"), b.statusOfTicket("SANDBOX-0")} {
			exact := position == NoneNotFound || string(answer.body) == want.body
			if answer.err != nil || answer.status != want.status || !exact || !strings.Contains(string(answer.body), want.body) {
				t.Errorf("%s: %d %q, error %v", position, answer.status, answer.body, answer.err)
			}
		}
	}
}

func TestVisibleAfterSwitch(t *testing.T) {
	t.Parallel()
	b, answer := placedUnder(t, Unknowns{VisibleAfter: 10 * time.Minute}, "accepted")
	mask := answer.mask(t)
	look := func() []int {
		var dashboard customerInfo
		b.get(BasePath+"/v2/NumberPorts/Inbound/Dashboard/PortInInfo").decode(t, &dashboard)
		return []int{b.statusOf("4165550123").status, b.statusOfTicket(mask).status, len(dashboard.Orders)}
	}
	b.Advance(10*time.Minute - time.Nanosecond)
	if diff := cmp.Diff([]int{404, 404, 0}, look()); diff != "" {
		t.Errorf("too early: want -, have +\n%s", diff)
	}
	b.Advance(time.Nanosecond)
	if diff := cmp.Diff([]int{200, 200, 1}, look()); diff != "" {
		t.Errorf("in time: want -, have +\n%s", diff)
	}
}

func TestBusinessGroupSwitch(t *testing.T) {
	t.Parallel()
	for position, legal := range map[BusinessGroupID]string{BusinessGroupSame: "BG-TORONTO", BusinessGroupOther: "SUB-BG-9001"} {
		carrier := mustNew(t, Config{Unknowns: Unknowns{BusinessGroup: position}})
		for _, id := range []string{"BG-TORONTO", "SUB-BG-9001"} {
			op, _, _ := carrier.spec.match(http.MethodPost, groupPath)
			body := fullBody(op)
			body["BusinessGroupSubscriptionID"] = id
			answer := post(t, carrier, groupPath, encode(t, body))
			if (answer.status == http.StatusOK) != (id == legal) {
				t.Errorf("%s: %s answered %d %s", position, id, answer.status, answer.body)
			}
		}
	}
}

func TestWrongUnknownsAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"none=maybe", "nothing=404", "none", "visible_after=soon", "visible_after=-1m", "none=404,none=html", "none=404,,", "None=404", "ticket_id=",
	} {
		if u, err := ParseUnknowns(text); err == nil {
			t.Errorf("%q was read as %v", text, u)
		}
	}
	carrier := mustNew(t, Config{})
	for _, u := range []Unknowns{
		{TicketID: "x"}, {Deferred: "x"}, {ByNumber: "x"}, {Numbers: "x"}, {None: "x"}, {VisibleAfter: -1}, {BusinessGroup: "x"},
	} {
		if err := u.Validate(); err == nil {
			t.Errorf("%+v is valid", u)
		}
		if _, err := New(Config{Unknowns: u}); err == nil {
			t.Errorf("New took %+v", u)
		}
		if err := carrier.SetUnknowns(u); err == nil {
			t.Errorf("SetUnknowns took %+v", u)
		}
	}
	if u := carrier.Unknowns(); u.String() != "defaults" {
		t.Errorf("the switches stand at %v", u)
	}
	if _, err := New(Config{Delay: -1}); err == nil {
		t.Error("New took a negative delay")
	}
}

// TestAllUnknowns: every position of every switch is in the matrix, each setting is
// different and can be written and read back in both forms.
func TestAllUnknowns(t *testing.T) {
	t.Parallel()
	names, positions := map[string]bool{}, map[string]bool{}
	for _, named := range AllUnknowns() {
		if names[named.Name] {
			t.Errorf("%s stands twice", named.Name)
		}
		names[named.Name] = true
		for _, s := range switches {
			positions[s.key+"="+s.get(named.Unknowns)] = true
		}
		read, err := ParseUnknowns(named.Name)
		if diff := cmp.Diff(named.Unknowns, read); err != nil || diff != "" {
			t.Errorf("%s: %v, want -, have +\n%s", named.Name, err, diff)
		}
		var back Unknowns
		if err := json.Unmarshal(encode(t, named.Unknowns), &back); err != nil || back != named.Unknowns {
			t.Errorf("%s: %v, back from JSON as %v", named.Name, err, back)
		}
		if err := named.Unknowns.Validate(); err != nil {
			t.Error(err)
		}
	}
	for _, s := range switches {
		for _, p := range s.positions {
			if !positions[s.key+"="+p.value] {
				t.Errorf("the matrix lacks %s=%s", s.key, p.value)
			}
		}
	}
	if !names["defaults"] {
		t.Error("the matrix lacks the defaults")
	}
	if zero := (Unknowns{}); zero.String() != "defaults" || zero.Validate() != nil {
		t.Errorf("the zero value is %v", zero)
	}
}
