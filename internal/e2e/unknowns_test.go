package e2e_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/sandbox"
)

// TestEverySwitchOfTheCarrier takes orders of every fate through every setting of what is unknown of the carrier. Orders may
// be in doubt for longer; none is taken twice, none has a ticket that is not its own, and no number is free too early.
func TestEverySwitchOfTheCarrier(t *testing.T) {
	t.Parallel()
	for _, unknown := range sandbox.AllUnknowns() {
		t.Run(unknown.Name, func(t *testing.T) {
			t.Parallel()
			newTrial(t, unknown.Unknowns, "404-exception").run(t)
		})
		// The same, once the operator has found out how the carrier says that it knows no such port-in.
		if says := saysNone[unknown.Unknowns.None]; says != "404-exception" {
			t.Run(unknown.Name+", and the operator knows", func(t *testing.T) {
				t.Parallel()
				newTrial(t, unknown.Unknowns, says).run(t)
			})
		}
	}
}

// saysNone is the setting for each way in which the sandbox can say that there is no such port-in.
var saysNone = map[sandbox.NoneAnswer]string{
	sandbox.NoneNotFound: "404-exception", sandbox.NoneBlank: "blank-200", sandbox.NoneEmpty: "empty-200", sandbox.NoneNull: "null-200",
	sandbox.NoneHTML: "any-404",
}

// trial is a service, and all that was ordered from it.
type trial struct {
	*service

	unknowns sandbox.Unknowns
	// looks tells that the service can see that a number has no port-in, and finds that an order's ticket is its own.
	looks, finds bool

	mu  sync.Mutex
	all []*placed
}

// placed is an order of a trial.
type placed struct {
	what  string
	order *portinv1.PortInOrder
	key   string
	first reply
	// fate is what the order has to be in the end.
	fate portinv1.OrderState
}

func newTrial(t *testing.T, u sandbox.Unknowns, noPortIn string) *trial {
	t.Helper()
	carrier := newStandin(t, sandbox.Config{Unknowns: u, Seed: 1})
	s := serve(t, carrier, sqlite.ledger(t), curious, eager, func(p *app.Params) { p.Config.Carrier.NoPortIn = noPortIn })
	looks := saysNone[u.None] == noPortIn
	return &trial{service: s, unknowns: u, looks: looks, finds: looks && u.Numbers == sandbox.NumbersListed}
}

// place orders something, over one face or the other.
func (tr *trial) place(t *testing.T, what string, o *portinv1.PortInOrder, fate portinv1.OrderState) *placed {
	t.Helper()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	p := &placed{what: what, order: o, key: newKey(), fate: fate}
	tr.all = append(tr.all, p)
	return p
}

// send sends an order, in the state that its POST has to leave it in.
func (tr *trial) send(t *testing.T, p *placed, state portinv1.OrderState) {
	t.Helper()
	p.first = tr.must(t, faces()[len(p.what)%2], p.order, p.key, state)
}

// same is a new order of the numbers of another.
func (tr *trial) same(t *testing.T, p *placed) *portinv1.PortInOrder {
	t.Helper()
	o := tr.carrier.order(t, "")
	o.GetTrunkDid().Dids = proto.CloneOf(p.order).GetTrunkDid().GetDids()
	return o
}

// held fails unless the numbers of an order are held: another order of them has to be refused.
func (tr *trial) held(t *testing.T, when string, p *placed) {
	t.Helper()
	posts := tr.carrier.OrdersFor(digits(t, p.order))
	r := tr.portIn(t.Context(), overGRPC, tr.same(t, p), newKey())
	if r.code != codes.AlreadyExists || r.reason != "NUMBER_IN_OPEN_ORDER" || r.orderID != p.first.orderID {
		t.Errorf("%s the number of an order that %s is not held by it: another order is answered %+v", when, p.what, r)
	}
	if now := tr.carrier.OrdersFor(digits(t, p.order)); now != posts {
		t.Errorf("%s another order of the number of an order that %s was posted", when, p.what)
	}
}

func (tr *trial) run(t *testing.T) {
	t.Helper()
	found := inDoubt
	if tr.finds {
		found = accepted
	}
	plain := tr.place(t, "is accepted", tr.carrier.order(t, ""), accepted)
	rejected := tr.place(t, "is accepted, and rejected later", tr.carrier.order(t, ""), accepted)
	deferred := tr.place(t, "is deferred", tr.carrier.order(t, "deferred"), accepted)
	for _, p := range []*placed{plain, rejected, deferred} {
		tr.send(t, p, accepted)
	}
	doubtful := []*placed{
		tr.place(t, "is taken without an answer", tr.carrier.order(t, "timeout-after-body"), found),
		tr.place(t, "is taken before a cut", tr.carrier.order(t, "cut-after-ticket"), found),
		tr.place(t, "is lost without an answer", tr.carrier.order(t, "timeout-without-ticket"), inDoubt),
		tr.place(t, "is lost before a reset", tr.carrier.order(t, "reset-after-body"), inDoubt),
	}
	doubtful = append(doubtful, tr.afterOthers(t)...)
	larger := tr.place(t, "is lost, before a larger one elsewhere", tr.carrier.order(t, "reset-after-body"), inDoubt)
	over := tr.place(t, "is lost, before one elsewhere that is over", tr.carrier.order(t, "reset-after-body"), inDoubt)
	doubtful = append(doubtful, larger, over)
	var sent sync.WaitGroup
	for _, p := range doubtful {
		sent.Go(func() { tr.send(t, p, inDoubt) })
	}
	sent.Wait()
	tr.elsewhere(t, larger.order, sandbox.Elsewhere{Numbers: []int64{digits(t, tr.carrier.order(t, ""))}})
	tr.elsewhere(t, over.order, sandbox.Elsewhere{Age: sandbox.Duration(500 * time.Hour)})

	again := tr.place(t, "was not sent at first", tr.carrier.order(t, ""), accepted)
	tr.carrier.next(t, "throttled")
	if r := tr.portIn(t.Context(), overGRPC, again.order, again.key); r.reason != "CARRIER_BUSY" {
		t.Errorf("an order that is throttled is answered %+v", r)
	}
	tr.send(t, again, accepted)
	for _, p := range append([]*placed{plain, rejected, deferred, again}, doubtful...) {
		tr.held(t, "at first", p)
	}

	tr.carrier.Advance(time.Hour) // what was not visible is visible now
	tr.asked(t, doubtful)
	for _, p := range append([]*placed{plain, deferred, again}, doubtful...) {
		tr.held(t, "when the carrier was asked", p)
	}
	tr.closes(t, plain, rejected)
	tr.judge(t)
}

// afterOthers are orders of numbers that were ordered elsewhere before. The service cannot tell whose ticket it sees, so they
// stay in doubt, whether the carrier took them or not.
func (tr *trial) afterOthers(t *testing.T) []*placed {
	t.Helper()
	var all []*placed
	open := sandbox.Elsewhere{Scenario: "stays-pending", Age: sandbox.Duration(72 * time.Hour)}
	held := sandbox.Elsewhere{Scenario: "hold", Age: sandbox.Duration(96 * time.Hour)}
	closed := sandbox.Elsewhere{Age: sandbox.Duration(500 * time.Hour)}
	for _, c := range []struct {
		what, outcome string
		before        []sandbox.Elsewhere
	}{
		{"comes after an open order elsewhere and is lost", "reset-after-body", []sandbox.Elsewhere{open}},
		{"comes after a closed order elsewhere and is lost", "reset-after-body", []sandbox.Elsewhere{closed}},
		{"comes after two orders elsewhere and is lost", "reset-after-body", []sandbox.Elsewhere{held, open}},
		{"comes after a closed order elsewhere and is taken", "cut-after-ticket", []sandbox.Elsewhere{closed}},
	} {
		o := tr.carrier.order(t, c.outcome)
		for _, e := range c.before {
			tr.elsewhere(t, o, e)
		}
		all = append(all, tr.place(t, c.what, o, inDoubt))
	}
	return all
}

// elsewhere places an order with the number of another, beside those that it has itself.
func (tr *trial) elsewhere(t *testing.T, o *portinv1.PortInOrder, e sandbox.Elsewhere) {
	t.Helper()
	e.Numbers = append([]int64{digits(t, o)}, e.Numbers...)
	if _, err := tr.carrier.PlaceElsewhere(e); err != nil {
		t.Fatal(err)
	}
}

// asked waits until the service has asked about every order in doubt, or has found it. When it does not understand that the
// carrier knows no port-in, it asks less and less, as if the carrier were down; then some questions are enough.
func (tr *trial) asked(t *testing.T, doubtful []*placed) {
	t.Helper()
	before := tr.carrier.lookups(t)
	until(t, "the carrier is asked about every order in doubt", func() bool {
		now, more, left := tr.carrier.lookups(t), 0, 0
		for _, p := range doubtful {
			number := digits(t, p.order)
			if n := now[number] - before[number]; n > 0 {
				more += n
			} else if tr.get(t, p.first.orderID).GetState() == inDoubt {
				left++
			}
		}
		return left == 0 || !tr.looks && more > 2
	})
	until(t, "what can be found is found", func() bool {
		return !slices.ContainsFunc(doubtful, func(p *placed) bool {
			return p.fate == accepted && tr.get(t, p.first.orderID).GetState() == inDoubt
		})
	})
}

// closes has the carrier end one order and reject another. The first's number is free when the carrier says so under the
// order's own ticket; the second's is not, for the porting team may revive it.
func (tr *trial) closes(t *testing.T, closed, rejected *placed) {
	t.Helper()
	for p, word := range map[*placed]string{closed: "COMPLETED", rejected: "REJECTED"} {
		if err := tr.carrier.SetStatus(p.first.order.GetTicketId(), sandbox.StatusChange{Status: word}); err != nil {
			t.Fatal(err)
		}
	}
	tr.held(t, "when the carrier rejects", rejected)
	if tr.unknowns.TicketID == sandbox.TicketIDOther { // the carrier does not know the order by its ticket
		tr.held(t, "when the carrier is through", closed)
		return
	}
	second := tr.place(t, "comes after one that is closed", tr.same(t, closed), accepted)
	tr.send(t, second, accepted)
	tr.held(t, "after another", second)
}

// judge compares every order with what the sandbox knows.
func (tr *trial) judge(t *testing.T) {
	t.Helper()
	for _, p := range tr.all {
		got := tr.get(t, p.first.orderID)
		if got.GetState() != p.fate {
			t.Errorf("an order that %s is %v in the end, want %v", p.what, got.GetState(), p.fate)
		}
		taken := tr.carrier.taken(t, p.order.GetForm().GetCustomerReference())
		if len(taken) > 1 {
			t.Errorf("the carrier took an order that %s %d times", p.what, len(taken))
		}
		own := func(k sandbox.Ticket) bool {
			return len(taken) > 0 && k.ID == taken[0] && names(k, got.GetTicketId())
		}
		if got.GetTicketId() != "" && !slices.ContainsFunc(tr.carrier.Tickets(), own) {
			t.Errorf("an order that %s has ticket %s, which is not its own: %v", p.what, got.GetTicketId(), taken)
		}
		again := tr.portIn(t.Context(), overJSON, p.order, p.key)
		if again.orderID != p.first.orderID || !again.replayed {
			t.Errorf("an order that %s is answered %+v in the end", p.what, again)
		}
	}
}
