package intake_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/sqlite"
	"github.com/portin/portin/internal/order"
)

// mortal is a ledger as a process sees it that may die: from then on nothing of it reaches the file.
type mortal struct {
	ledger.Store

	mu   sync.Mutex
	dead bool
}

func (m *mortal) die() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
}

func (m *mortal) err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return ledger.ErrClosed
	}
	return nil
}

func (m *mortal) Find(ctx context.Context, tenant, id string) (ledger.Record, error) {
	if err := m.err(); err != nil {
		return ledger.Record{}, err
	}
	return m.Store.Find(ctx, tenant, id)
}

func (m *mortal) Claim(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	if err := m.err(); err != nil {
		return ledger.Record{}, err
	}
	return m.Store.Claim(ctx, r, e)
}

func (m *mortal) Advance(ctx context.Context, id string, s ledger.Step) (ledger.Record, error) {
	if err := m.err(); err != nil {
		return ledger.Record{}, err
	}
	return m.Store.Advance(ctx, id, s)
}

// reopened opens a ledger's file, as a process does at its start. There may be none yet.
func reopened(t *testing.T, path string) ledger.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Carrier: carrierURL})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// born is an intake that nobody ends.
func born(store intake.Ledger, c *stubCarrier, reach func(intake.Point)) door {
	return door{intake.New(intake.Params{
		Config: usual(), Ledger: store, Accounts: oneAccount{}, Carrier: forAll[intake.Carrier](c), Directory: forAll[intake.Directory](&stubDirectory{}),
		Log: slog.New(slog.DiscardHandler), Reach: reach,
	})}
}

// TestFault11_AProcessThatDiesLeavesNoOrderSending ends the process at every point of an order's way, and begins another
// one on the same file. What the carrier got it has under T-1.
func TestFault11_AProcessThatDiesLeavesNoOrderSending(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		point intake.Point
		posts int
		// kept is where the order is after the start, answered what the same request gets, and found what becomes of it.
		kept, answered, found portinv1.OrderState
	}{
		{intake.PointKeyRead, 0, 0, stateAccepted, stateAccepted},
		{intake.PointLooked, 0, 0, stateAccepted, stateAccepted},
		{intake.PointClaimed, 0, stateInDoubt, stateInDoubt, stateInDoubt},
		{intake.PointPosted, 1, stateInDoubt, stateInDoubt, stateAccepted},
		{intake.PointSettled, 1, stateAccepted, stateAccepted, stateAccepted},
	} {
		t.Run(string(c.point), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "ledger.db")
				at := &stubCarrier{}
				journal := &mortal{Store: reopened(t, path)}
				first := born(journal, at, func(p intake.Point) {
					if p == c.point {
						journal.die()
						runtime.Goexit()
					}
				})
				ctx, leave := context.WithCancel(t.Context())
				go func() { _, _ = first.PortIn(ctx, request(t, keyA)) }()
				synctest.Wait()
				leave()
				synctest.Wait()
				if posts, _ := at.count(); posts != c.posts {
					t.Fatalf("%d POSTs before the end; want %d", posts, c.posts)
				}
				if err := journal.Close(); err != nil {
					t.Fatal(err)
				}

				d := newDesk(t, often(time.Minute), func(d *desk, p *intake.Params) {
					d.ledger = &flakyLedger{Store: reopened(t, path)}
					d.carrier = at
					p.Ledger, p.Carrier = d.ledger, forAll[intake.Carrier](at)
				})
				t.Cleanup(func() { _ = d.ledger.Close() })
				recovers(t, d)
				var kept portinv1.OrderState
				if r, err := d.ledger.FindKey(t.Context(), tenant, keyA); err == nil {
					kept = state(t, d, r.OrderID)
				}
				o := placed(t, d, keyA)
				if got := [...]portinv1.OrderState{kept, o.GetState()}; got != [...]portinv1.OrderState{c.kept, c.answered} {
					t.Errorf("after the start the order is %v, and the same request is answered %v; want %v and %v", got[0], got[1], c.kept, c.answered)
				}
				if c.posts == 1 {
					enquiring(d, always(exact("T-1"), nil))
				}
				running(t, d.Intake)
				pass(time.Hour + 30*time.Minute)
				got := stands(t, d, o.GetOrderId())
				if got.GetState() != c.found || got.GetNeedsAttention() != (c.found == stateInDoubt) {
					t.Errorf("after a while the order is %v, %v; want %v", got.GetState(), attentions(got), c.found)
				}
				wantPosts := 1
				if c.point == intake.PointClaimed {
					wantPosts = 0
				}
				if posts, _ := at.count(); posts != wantPosts {
					t.Errorf("%d POSTs; want %d", posts, wantPosts)
				}
			})
		})
	}
}

// method is a method of the ledger that intake calls.
type method string

// failure is how a call of the ledger fails.
type failure string

const (
	notCarriedOut failure = "before it was carried out"
	carriedOut    failure = "after it was carried out"
	outage        failure = "after it was carried out, and so do the next three of any method"
)

// tripwire is a ledger that fails at one call of one method.
type tripwire struct {
	ledger.Store

	mu      sync.Mutex
	method  method
	failure failure
	// left counts down to the call, more the calls that fail after it; calls are how often each method was called.
	left, more int
	calls      map[method]int
}

// set has the nth call of a method fail; none fails when n is 0.
func (w *tripwire) set(m method, f failure, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.method, w.failure, w.left, w.more, w.calls = m, f, n, 0, map[method]int{}
}

// passes reports whether a call fails before and after it.
func (w *tripwire) passes(m method) (before, after error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[m]++
	if w.more > 0 {
		w.more--
		return errDisk, nil
	}
	if m != w.method {
		return nil, nil
	}
	w.left--
	if w.left != 0 {
		return nil, nil
	}
	if w.failure == notCarriedOut {
		return errDisk, nil
	}
	if w.failure == outage {
		w.more = 3
	}
	return nil, errDisk
}

// tripped carries out a call, unless it fails.
func tripped[T any](w *tripwire, m method, call func() (T, error)) (T, error) {
	var none T
	before, after := w.passes(m)
	if before != nil {
		return none, before
	}
	result, err := call()
	if after != nil {
		return none, after
	}
	return result, err
}

func (w *tripwire) FindKey(ctx context.Context, tenant, key string) (ledger.Record, error) {
	return tripped(w, "FindKey", func() (ledger.Record, error) { return w.Store.FindKey(ctx, tenant, key) })
}

func (w *tripwire) Find(ctx context.Context, tenant, id string) (ledger.Record, error) {
	return tripped(w, "Find", func() (ledger.Record, error) { return w.Store.Find(ctx, tenant, id) })
}

func (w *tripwire) Claim(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	return tripped(w, "Claim", func() (ledger.Record, error) { return w.Store.Claim(ctx, r, e) })
}

func (w *tripwire) Advance(ctx context.Context, id string, s ledger.Step) (ledger.Record, error) {
	return tripped(w, "Advance", func() (ledger.Record, error) { return w.Store.Advance(ctx, id, s) })
}

func (w *tripwire) Take(ctx context.Context, turn ledger.Turn) ([]ledger.Record, error) {
	return tripped(w, "Take", func() ([]ledger.Record, error) { return w.Store.Take(ctx, turn) })
}

func (w *tripwire) Sending(ctx context.Context) ([]ledger.Lease, error) {
	return tripped(w, "Sending", func() ([]ledger.Lease, error) { return w.Store.Sending(ctx) })
}

// life is a scripted life of four orders, told apart by the day on which they live: a POST each that is accepted, that is
// lost and found again, that is lost and resolved as not placed, and that is not sent, and what callers do about that.
type life struct {
	*desk
	t       *testing.T
	wire    *tripwire
	day     int
	mu      sync.Mutex
	asked   map[string]int
	posted  map[string]int
	arrived map[string]bool
	acked   map[string]string
}

const (
	bakery, florist, butcher, grocer = "bakery", "florist", "butcher", "grocer"
)

var shops = []string{bakery, florist, butcher, grocer}

func (l *life) key(shop string) string {
	return fmt.Sprintf("0193e3a0-0000-4000-8000-%08d%04d", l.day, slices.Index(shops, shop)+1)
}

func (l *life) number(shop string) int64 {
	return 4165560000 + int64(4*l.day+slices.Index(shops, shop))
}

// submit is the carrier: it looks an order up by its claim, which has to be in the ledger.
func (l *life) submit(ctx context.Context, call carrier.Call) carrier.Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, shop := range shops {
		if !slices.Contains(numbersIn(l.t, call), l.number(shop)) {
			continue
		}
		r, err := l.wire.Store.FindKey(ctx, tenant, l.key(shop))
		attempt := fmt.Sprintf("%s %d", shop, r.Attempt)
		l.posted[attempt]++
		if err != nil || r.State != order.Sending || l.posted[attempt] > 1 || l.arrived[shop] {
			l.t.Errorf("attempt %s is posted %d times; the ledger says %v, %v", attempt, l.posted[attempt], r.State, err)
		}
		switch {
		case shop == grocer && r.Attempt == 1:
			return unreachable()
		case shop == butcher && r.Attempt == 1:
			return lost(ctx, call)
		}
		l.arrived[shop] = true
		if shop == florist {
			return lost(ctx, call)
		}
		return carrier.Outcome{Settlement: carrier.Accepted, Reply: carrier.ReplyAccepted, Ticket: l.ticket(shop)}
	}
	l.t.Error("a POST of no shop's order")
	return carrier.Outcome{}
}

func (l *life) ticket(shop string) string { return fmt.Sprintf("T-%d", l.number(shop)) }

func (l *life) byNumber(_ context.Context, number int64) (carrier.Status, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, shop := range shops {
		if l.arrived[shop] && l.number(shop) == number {
			return status(l.ticket(shop), "PENDING", number), nil
		}
	}
	return carrier.Status{}, errNone
}

// places sends an order as a caller does who follows the contract: any error may be retried with the same request_id.
func (l *life) places(shop string, patient bool) *portinv1.PortInOrder {
	l.t.Helper()
	for range 5 {
		l.mu.Lock()
		l.asked[shop]++
		l.mu.Unlock()
		resp, err := l.PortIn(l.t.Context(), request(l.t, l.key(shop), fmt.Sprint(l.number(shop))))
		l.mu.Lock()
		arrived := l.arrived[shop]
		l.mu.Unlock()
		o := resp.GetOrder()
		switch {
		case err == nil:
			if was := l.acked[shop]; was != "" && was != o.GetOrderId() {
				l.t.Errorf("the %s's order was %s and is %s", shop, was, o.GetOrderId())
			}
			l.acked[shop] = o.GetOrderId()
			if o.GetState() == stateAccepted && (!arrived || o.GetTicketId() != l.ticket(shop)) {
				l.t.Errorf("the %s is told of ticket %q; it arrived: %v", shop, o.GetTicketId(), arrived)
			}
			return o
		case reasonOf(err) == fault.ReasonLedgerUnavailable:
		case reasonOf(err) == fault.ReasonCarrierUnreachable, reasonOf(err) == fault.ReasonNotPlaced:
			if arrived {
				l.t.Errorf("the %s is told %v, and the carrier has the order", shop, err)
			}
			if !patient {
				return nil
			}
		default:
			l.t.Errorf("the %s is told %v", shop, err)
		}
		pass(6 * time.Second)
	}
	l.t.Errorf("the %s gets no answer", shop)
	return nil
}

// lives goes through the script.
func (l *life) lives() {
	l.t.Helper()
	l.asked, l.posted, l.arrived, l.acked = map[string]int{}, map[string]int{}, map[string]bool{}, map[string]string{}
	l.places(bakery, true)
	l.places(grocer, false)
	l.places(florist, true)
	l.places(bakery, true)
	if o := l.places(butcher, true); o.GetState() == stateInDoubt {
		pass(time.Second)
		for range 5 {
			if _, err := l.Resolve(l.t.Context(), wasNotPlaced(o.GetOrderId())); err == nil {
				break
			} else if r := reasonOf(err); r != fault.ReasonLedgerUnavailable && r != fault.ReasonOrderNotInDoubt {
				l.t.Errorf("the operator is told %v", err)
			}
			pass(6 * time.Second)
		}
		l.places(butcher, true)
	}
	l.places(grocer, true)
	pass(10 * time.Minute) // leases end, and what is in doubt is found
	l.stays()
}

// stays checks what holds at the end, whatever has failed.
func (l *life) stays() {
	l.t.Helper()
	for _, shop := range shops {
		r, err := l.wire.Store.FindKey(l.t.Context(), tenant, l.key(shop))
		posts := 0
		for attempt := range 9 {
			posts += l.posted[fmt.Sprintf("%s %d", shop, attempt)]
		}
		if posts > l.asked[shop] {
			l.t.Errorf("%d POSTs of the %s's order, which was asked for %d times", posts, shop, l.asked[shop])
		}
		if err != nil || (l.acked[shop] != "" && r.OrderID != l.acked[shop]) {
			l.t.Errorf("the ledger does not have the %s's order %s: %v", shop, l.acked[shop], err)
			continue
		}
		if l.arrived[shop] != (r.State == order.Accepted) || (r.State == order.Accepted && r.Ticket != l.ticket(shop)) || r.State == order.Sending {
			l.t.Errorf("the %s's order arrived: %v; it ends as %v under %q, %v", shop, l.arrived[shop], r.State, r.Ticket, r.Attention)
		}
	}
	if n := l.Unsettled(); n != 0 {
		l.t.Errorf("%d results are owed at the end", n)
	}
}

// TestFault18_EveryMethodOfTheLedgerFailsOnceAtEveryCall lives the same life over and over.
func TestFault18_EveryMethodOfTheLedgerFailsOnceAtEveryCall(t *testing.T) {
	t.Parallel()
	for _, m := range []method{"FindKey", "Find", "Claim", "Advance", "Take", "Sending"} {
		for _, f := range []failure{notCarriedOut, carriedOut, outage} {
			t.Run(fmt.Sprintf("%s %s", m, f), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					l := &life{t: t, wire: &tripwire{}}
					l.desk = newDesk(t, often(time.Minute), func(d *desk, p *intake.Params) {
						l.wire.Store = d.ledger
						d.carrier.submit, d.carrier.byNumber = l.submit, l.byNumber
						p.Ledger = l.wire
					})
					l.wire.set("", f, 0)
					running(t, l.Intake)
					// Turns are all alike: four of them stand for the rest.
					for n := 1; n == 1 || (l.wire.calls[m] >= n-1 && (n <= 4 || m != "Take" && m != "Sending")); n++ {
						l.wire.set(m, f, n)
						l.day++
						l.lives()
						if t.Failed() {
							t.Fatalf("at call %d of %v", n, l.wire.calls)
						}
					}
					t.Logf("%d lives, the last with %v", l.day, l.wire.calls)
					if diff := cmp.Diff(4*l.day, countAll(t, l.desk)); diff != "" {
						t.Errorf("orders in the ledger (-want +got):\n%s", diff)
					}
				})
			})
		}
	}
}

// countAll counts the orders of a ledger.
func countAll(t *testing.T, d *desk) int {
	t.Helper()
	page, more, err := d.ledger.List(t.Context(), ledger.Query{Tenant: tenant, Limit: 1000, MaxBytes: 1 << 30})
	if err != nil || more {
		t.Fatal(more, err)
	}
	return len(page)
}
