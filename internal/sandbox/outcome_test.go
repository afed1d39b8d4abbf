package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// quick makes the outcomes that take time or space take little.
var quick = Config{Delay: time.Millisecond, DripInterval: time.Microsecond, HugeBytes: 3 << 20, HeaderBytes: 64 << 10}

// expectations say what the client meets, by the outcome's name; outcomes of a
// status in one of three forms are expected by their prefix.
var expectations = map[string]func(*testing.T, got){
	"accepted":               accepted,
	"rejected":               reply(0, ""),
	"error":                  reply(4, ""),
	"deferred":               reply(2, "SANDBOX-"),
	"conditional":            reply(3, "SANDBOX-"),
	"no-ticket-mask":         raw(`{"Message":"Accepted","Reply":1}`),
	"empty-ticket-mask":      raw(`{"Message":"Accepted","Reply":1,"TicketMask":""}`),
	"reply-missing":          rawPrefix(`{"Message":"Accepted","TicketMask":"SANDBOX-`),
	"reply-unknown":          rawPrefix(`{"Message":"Accepted","Reply":7,"TicketMask":"SANDBOX-`),
	"reply-string":           rawPrefix(`{"Message":"Accepted","Reply":"1","TicketMask":"SANDBOX-`),
	"reply-null":             rawPrefix(`{"Message":"Accepted","Reply":null,"TicketMask":"SANDBOX-`),
	"throttled":              throttledFor("7"),
	"throttled-date":         throttledFor("Mon, 23 Nov 2026 12:00:07 GMT"),
	"throttled-absurd":       throttledFor("99999999999999999999"),
	"throttled-silent":       throttledFor(""),
	"truncated":              notJSONAnswer,
	"utf16":                  notJSONAnswer,
	"trailing-garbage":       notJSONAnswer,
	"invalid-utf8":           func(t *testing.T, g got) { wantStatus(t, g, 200); wantTrue(t, !utf8.Valid(g.body)) },
	"json-array":             raw("[1,2,3]"),
	"json-other":             raw(`{"status":"ok","code":1}`),
	"created-201":            func(t *testing.T, g got) { wantStatus(t, g, 201); wantTrue(t, json.Valid(g.body)) },
	"no-content-204":         func(t *testing.T, g got) { wantStatus(t, g, 204); wantTrue(t, len(g.body) == 0) },
	"slow":                   accepted,
	"drip":                   accepted,
	"huge-body":              flooded,
	"gzip-bomb":              flooded,
	"huge-header":            func(t *testing.T, g got) { accepted(t, g); wantTrue(t, len(g.header.Get("X-Padding")) == 64<<10) },
	"timeout-after-body":     failure(context.Canceled),
	"timeout-without-ticket": failure(context.Canceled),
	"cut-after-body":         failure(io.EOF),
	"cut-after-ticket":       failure(io.EOF),
	"cut-mid-answer":         failure(io.ErrUnexpectedEOF),
	"reset-after-body":       failure(syscall.ECONNRESET),
	"reset-after-ticket":     failure(syscall.ECONNRESET),
	"cut-before-body":        anyFailure,
	"reset-before-body":      anyFailure,
	"reset-mid-body":         anyFailure,
}

func expectation(name string) func(*testing.T, got) {
	form, code, _ := strings.Cut(name, "-")
	status, err := strconv.Atoi(code)
	switch {
	case expectations[name] != nil || err != nil:
		return expectations[name]
	case form == "exception":
		return func(t *testing.T, g got) { wantStatus(t, g, status); g.exceptionMessage(t) }
	case form == "html":
		return func(t *testing.T, g got) {
			wantStatus(t, g, status)
			wantTrue(t, bytes.Contains(g.body, []byte("<html>")) && strings.HasPrefix(g.header.Get("Content-Type"), "text/html"))
		}
	case form == "empty":
		return func(t *testing.T, g got) { wantStatus(t, g, status); wantTrue(t, len(g.body) == 0) }
	case form == "redirect":
		return func(t *testing.T, g got) {
			wantStatus(t, g, status)
			wantTrue(t, g.header.Get("Location") == BasePath+didPath)
		}
	}
	return nil
}

// TestOutcomes plays each outcome of the table over real HTTP, by script.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	for _, o := range Outcomes() {
		t.Run(o.Name, func(t *testing.T) {
			t.Parallel()
			expect := expectation(o.Name)
			if expect == nil {
				t.Fatal("nothing says what the client meets: add it to expectations")
			}
			b := newBench(t, quick)
			if err := b.Next(o.Name); err != nil {
				t.Fatal(err)
			}
			expect(t, b.impatientOrder(did(4165550123)))

			entry := b.Received()[0]
			if entry.Outcome != o.Name || (entry.Ticket != "") != o.Ticket || len(b.Tickets()) != count(o.Ticket) {
				t.Errorf("noted as %+v with %d tickets, want a ticket: %v", entry, len(b.Tickets()), o.Ticket)
			}
			if counts := b.Counts(); counts.Orders != 1 || counts.ByPath[didPath] != 1 || counts.ByNumber[4165550123] != count(!o.is(beforeBody)) {
				t.Errorf("counted as %+v", counts)
			}
			if again := b.order(didPath, did(4165550124)); again.mask(t) == "" {
				t.Error("the script did not end")
			}
		})
	}
}

// impatientOrder posts an order and leaves as soon as its outcome is known, if
// that outcome is one which never answers.
func (b *bench) impatientOrder(body object) got {
	ctx, leave := context.WithCancel(b.t.Context())
	defer leave()
	answered := make(chan got, 1)
	go func() { answered <- b.do(ctx, http.MethodPost, BasePath+didPath, encode(b.t, body)) }()
	if err := b.AwaitOrders(b.t.Context(), 1); err != nil {
		b.t.Error(err)
	}
	if strings.HasPrefix(b.Received()[0].Outcome, "timeout") {
		leave()
	}
	return <-answered
}

// TestChosenByNumberAndName walks the same table by the two other ways.
func TestChosenByNumberAndName(t *testing.T) {
	t.Parallel()
	seen := map[int]string{}
	for _, o := range Outcomes() {
		if o.Digits != 0 {
			seen[o.Digits] += o.Name
			checkChosen(t, did(4165550100+int64(o.Digits), 4165550120), o.Name)
		}
		if !o.is(beforeBody) {
			checkChosen(t, named(did(4165550123), "Sandbox "+o.Name), o.Name)
		}
	}
	for _, s := range Scenarios() {
		want := "accepted+" + s.Name
		if s.Name == "completes" {
			want = "accepted"
		}
		if s.Digits != 0 {
			seen[s.Digits] += s.Name
			checkChosen(t, did(5145550100+int64(s.Digits)), want)
		}
		checkChosen(t, named(did(4165550123), "Sandbox "+s.Name), want)
	}
	for digits := 50; digits <= 99; digits++ {
		if seen[digits] == "" {
			t.Errorf("the digits %d select nothing", digits)
		}
	}
	if len(seen) != 50 {
		t.Errorf("%d digits are in use, want 50", len(seen))
	}
	for digits := range int64(50) {
		checkChosen(t, did(4165550100+digits, 4165550181), "accepted")
	}
	checkChosen(t, did(4165560181), "accepted")
	checkChosen(t, named(did(4165550123), "Sandbox Ltd"), "accepted")
	checkChosen(t, named(did(4165550123), "sandbox slow"), "accepted")
	checkChosen(t, named(did(4165550181), "Sandbox hold"), "accepted+hold")
}

func checkChosen(t *testing.T, body object, want string) {
	t.Helper()
	value, err := decode(encode(t, body))
	if err != nil {
		t.Fatal(err)
	}
	members := object(value.(map[string]any))
	chosen, err := chosenBy(&order{body: members, form: members.object("PortForm")})
	if err != nil || chosen.String() != want {
		t.Errorf("chose %v (%v), want %s", chosen, err, want)
	}
}

func TestChoices(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"accepted":                  "accepted",
		"completes":                 "accepted",
		"hold+slow":                 "slow+hold",
		"empty-503+ticket":          "empty-503+ticket",
		"ticket+empty-503+disputed": "empty-503+disputed+ticket",
		"cut-after-ticket+ticket":   "cut-after-ticket",
		"truncated+noticket":        "truncated+noticket",
	} {
		chosen, err := parseChoice(text)
		if err != nil || chosen.String() != want {
			t.Errorf("%q is %v (%v), want %q", text, chosen, err, want)
		}
	}
	for _, text := range []string{"", "nothing", "slow+", "+slow", "slow+nothing", "Slow", "accepted+noticket", "deferred+ticket", "cut-before-body+ticket"} {
		if chosen, err := parseChoice(text); err == nil {
			t.Errorf("%q is %v", text, chosen)
		}
	}
	var names []string
	for _, o := range Outcomes() {
		names = append(names, o.Name)
	}
	for _, s := range Scenarios() {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("a name stands twice in %v", names)
	}
}

// TestTurnedTickets: a script decides on the ticket against the table.
func TestTurnedTickets(t *testing.T) {
	t.Parallel()
	b := newBench(t, quick)
	if err := b.Next("empty-503+ticket", "truncated+noticket+hold", "hold"); err != nil {
		t.Fatal(err)
	}
	b.order(didPath, did(4165550123))
	b.order(didPath, did(4165550124))
	b.order(didPath, did(4165550125))
	tickets := b.Tickets()
	if len(tickets) != 2 || tickets[0].Numbers[0] != 4165550123 || tickets[1].Scenario != "hold" {
		t.Errorf("tickets %+v", tickets)
	}
}

func TestNextRefusesUnknownNames(t *testing.T) {
	t.Parallel()
	carrier := mustNew(t, Config{})
	if err := carrier.Next("slow", "no-such-outcome"); err == nil {
		t.Error("took a name that does not exist")
	}
	if waiting := carrier.Waiting(); len(waiting) != 0 {
		t.Errorf("%v is waiting", waiting)
	}
}

// TestScriptOnlyByName: an outcome before the body cannot be asked for in it.
func TestScriptOnlyByName(t *testing.T) {
	t.Parallel()
	carrier := mustNew(t, Config{})
	answer := post(t, carrier, didPath, encode(t, named(did(4165550123), "Sandbox reset-mid-body")))
	if message := answer.exceptionMessage(t); !strings.Contains(message, "CustomerName") {
		t.Error(message)
	}
}

// TestRefusalComesFirst: an order that a rule refuses is refused whatever waits
// for it, and uses the script up.
func TestRefusalComesFirst(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	if err := b.Next("timeout-after-body"); err != nil {
		t.Fatal(err)
	}
	body := did(4165550123)
	body["Bogus"] = 1
	answer := b.order(didPath, body)
	if answer.status != http.StatusBadRequest || len(b.Waiting()) != 0 || len(b.Tickets()) != 0 {
		t.Errorf("status %d, waiting %v", answer.status, b.Waiting())
	}
}

func count(one bool) int {
	if one {
		return 1
	}
	return 0
}

func wantStatus(t *testing.T, g got, status int) {
	t.Helper()
	if g.err != nil || g.status != status {
		t.Errorf("status %d, error %v, want %d; body %.200s", g.status, g.err, status, g.body)
	}
}

func wantTrue(t *testing.T, ok bool) {
	t.Helper()
	if !ok {
		t.Error("the answer is not as it should be")
	}
}

func accepted(t *testing.T, g got) {
	t.Helper()
	if !strings.HasPrefix(g.mask(t), "SANDBOX-") {
		t.Errorf("TicketMask %q", g.mask(t))
	}
}

func reply(number int, maskPrefix string) func(*testing.T, got) {
	return func(t *testing.T, g got) {
		r := g.reply(t)
		if *r.Reply != number || !strings.HasPrefix(*r.TicketMask, maskPrefix) || (*r.TicketMask == "") != (maskPrefix == "") {
			t.Errorf("reply %s", g.body)
		}
	}
}

func raw(body string) func(*testing.T, got) {
	return func(t *testing.T, g got) { wantStatus(t, g, 200); wantTrue(t, string(g.body) == body) }
}

func rawPrefix(prefix string) func(*testing.T, got) {
	return func(t *testing.T, g got) {
		wantStatus(t, g, 200)
		wantTrue(t, strings.HasPrefix(string(g.body), prefix))
	}
}

func throttledFor(retryAfter string) func(*testing.T, got) {
	return func(t *testing.T, g got) {
		wantStatus(t, g, http.StatusTooManyRequests)
		g.exceptionMessage(t)
		_, has := g.header["Retry-After"]
		wantTrue(t, g.header.Get("Retry-After") == retryAfter && has == (retryAfter != ""))
	}
}

func notJSONAnswer(t *testing.T, g got) {
	wantStatus(t, g, 200)
	wantTrue(t, len(g.body) > 0 && !json.Valid(g.body))
}

func flooded(t *testing.T, g got) { accepted(t, g); wantTrue(t, len(g.body) > 3<<20) }

func failure(want error) func(*testing.T, got) {
	return func(t *testing.T, g got) {
		if !errors.Is(g.err, want) {
			t.Errorf("status %d, error %v, want %v", g.status, g.err, want)
		}
	}
}

func anyFailure(t *testing.T, g got) {
	if g.err == nil {
		t.Errorf("answered %d %s", g.status, g.body)
	}
}
