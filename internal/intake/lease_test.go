package intake_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// sharedLedger is a ledger that other processes write to as well.
type sharedLedger struct{ ledger.Store }

func (sharedLedger) Exclusive() bool { return false }

// shares has a desk share its ledger.
func shares(d *desk, p *intake.Params) { p.Ledger = sharedLedger{d.ledger} }

// stopwatch is how long a process has been running, as a test says.
type stopwatch struct{ atomic.Int64 }

func (w *stopwatch) reads(d time.Duration) { w.Store(int64(d)) }

func (w *stopwatch) on(_ *desk, p *intake.Params) {
	p.Elapsed = func() time.Duration { return time.Duration(w.Load()) }
}

// foreign writes an order that another process is sending, and returns its ID.
func foreign(t *testing.T, d *desk, owner, key, number string) string {
	t.Helper()
	now := time.Now()
	r, err := d.ledger.Claim(t.Context(), ledger.Record{
		OrderID: "0193e3a0-0000-7000-8000-0" + number[1:], Tenant: tenant, CarrierAccount: ledger.Default, RequestID: key, Target: "trunk_did",
		Numbers: []string{number}, State: order.Sending, Attempt: 1, Owner: owner, Lease: 90 * time.Second, Created: now, Updated: now, Claimed: now,
	}, ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCaller}, Note: "claimed"})
	if err != nil {
		t.Fatal(err)
	}
	return r.OrderID
}

// sending places the order of keyA beside the test, up to where that waits, and returns where its answer comes.
func sending(t *testing.T, d *desk) <-chan *portinv1.PortInOrder {
	t.Helper()
	answered := make(chan *portinv1.PortInOrder, 1)
	go func() {
		resp, err := d.PortIn(t.Context(), request(t, keyA))
		if err != nil {
			t.Errorf("a caller is answered %v", err)
		}
		answered <- resp.GetOrder()
	}()
	synctest.Wait()
	return answered
}

// recovers has an intake look after leases once.
func recovers(t *testing.T, d *desk) {
	t.Helper()
	if err := d.Recover(t.Context()); err != nil {
		t.Error(err)
	}
}

// state is the state of an order.
func state(t *testing.T, d *desk, id string) portinv1.OrderState {
	t.Helper()
	return stands(t, d, id).GetState()
}

const gone = "the process that was sending the order is gone, so it is not known whether the carrier has it"

// TestALedgerOfItsOwnEndsEveryForeignLeaseAtOnce: nobody else can be sending.
func TestALedgerOfItsOwnEndsEveryForeignLeaseAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, withSubmit(func(context.Context, carrier.Call) carrier.Outcome {
			<-time.After(time.Hour)
			return accepted(1)
		}))
		own := sending(t, d)
		leases, err := d.ledger.Sending(t.Context())
		if err != nil || len(leases) != 1 || leases[0].Term != 90*time.Second {
			t.Fatalf("the leases are %v, %v; want one of 90 s", leases, err)
		}
		begin := time.Now()
		first := foreign(t, d, "somebody", keyB, "+14165550190")
		second := foreign(t, d, "somebody else", "0193e3a0-0000-4000-8000-00000000000c", "+14165550191")
		for range 3 { // once as at the start, and then as Run does
			recovers(t, d)
			pass(time.Minute)
		}
		for _, id := range []string{first, second} {
			happened(t, d, id, []*portinv1.PortInOrderEvent{
				{EventTime: at(begin), ActorKind: byCaller, Type: eventClaimed, Attempt: 1, State: stateSending, Note: "claimed"},
				{EventTime: at(begin), ActorKind: byService, Type: eventState, Attempt: 1, State: stateInDoubt, Note: gone},
			})
		}
		if got := state(t, d, leases[0].OrderID); got != stateSending {
			t.Errorf("the intake's own order is %v; want SENDING", got)
		}
		if o := <-own; o.GetState() != stateAccepted || o.GetNeedsAttention() {
			t.Errorf("the intake's own order ends as %v; want ACCEPTED", o)
		}
	})
}

// TestASharedLedgersLeaseEndsWhenItWasSeenForItsTerm goes by what the intake saw and by its own clock.
func TestASharedLedgersLeaseEndsWhenItWasSeenForItsTerm(t *testing.T) {
	t.Parallel()
	var w stopwatch
	d := newDesk(t, w.on, shares)
	id := foreign(t, d, "somebody", keyB, "+14165550190")
	reads := func(elapsed time.Duration, want portinv1.OrderState) {
		t.Helper()
		w.reads(elapsed)
		recovers(t, d)
		if got := state(t, d, id); got != want {
			t.Errorf("after %v the order is %v; want %v", elapsed, got, want)
		}
	}
	reads(10*time.Minute, stateSending) // seen for the first time, however old it is
	reads(10*time.Minute+90*time.Second-1, stateSending)
	resent(t, d, id, "somebody") // not sent, and sent again by the same process: that is another lease
	reads(10*time.Minute+90*time.Second, stateSending)
	reads(10*time.Minute+180*time.Second-1, stateSending)
	reads(10*time.Minute+180*time.Second, stateInDoubt)
	resent(t, d, id, "somebody else")
	reads(20*time.Minute, stateSending)
	r := step(t, d, id, order.ByAnswer, func(r *ledger.Record) { r.State = order.NotSent })
	reads(21*time.Minute, stateNotSent)
	r.Owner = "somebody else"
	reclaimed(t, d, r)
	reads(21*time.Minute+30*time.Second, stateSending)
	reads(23*time.Minute-1, stateSending)
	reads(23*time.Minute, stateInDoubt)
	if posts, _ := d.carrier.count(); posts != 0 {
		t.Errorf("%d POSTs of orders of others", posts)
	}
}

// step changes an order as another process or an operator would, and returns it.
func step(t *testing.T, d *desk, id string, by order.Cause, change func(r *ledger.Record)) ledger.Record {
	t.Helper()
	r, err := d.ledger.Store.Advance(t.Context(), id, ledger.Step{By: by, Now: time.Now(), Change: func(r *ledger.Record) (ledger.Entry, error) {
		change(r)
		return ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByService}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// reclaimed has another process claim an order's next attempt.
func reclaimed(t *testing.T, d *desk, r ledger.Record) {
	t.Helper()
	r.State, r.Attempt = order.Sending, r.Attempt+1
	if _, err := d.ledger.Store.Claim(t.Context(), r, ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCaller}}); err != nil {
		t.Fatal(err)
	}
}

// resent has an order, which is SENDING or IN_DOUBT, end as not sent, and another process send it again.
func resent(t *testing.T, d *desk, id, owner string) {
	t.Helper()
	r := step(t, d, id, order.ByAnswer, func(r *ledger.Record) { r.State, r.Due, r.Doubt = order.NotSent, time.Time{}, ledger.Doubt{} })
	r.Owner = owner
	reclaimed(t, d, r)
}

// TestNoIntakeEndsTheLeaseOfItsOwnFlight, however long the POST takes. An order that bears its name and that it does not
// send is one whose claim it could not take back.
func TestNoIntakeEndsTheLeaseOfItsOwnFlight(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]func(*desk, *intake.Params){"own ledger": func(*desk, *intake.Params) {}, "shared ledger": shares} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				answer := make(chan struct{})
				var w stopwatch
				d := newDesk(t, w.on, option, withSubmit(func(context.Context, carrier.Call) carrier.Outcome {
					<-answer
					return accepted(1)
				}))
				sending(t, d)
				leases, err := d.ledger.Sending(t.Context())
				if err != nil || len(leases) != 1 {
					t.Fatal(leases, err)
				}
				stray := foreign(t, d, leases[0].Owner, keyB, "+14165550190")
				for _, c := range []struct {
					elapsed time.Duration
					stray   portinv1.OrderState
				}{{0, stateSending}, {90*time.Second - 1, stateSending}, {90 * time.Second, stateInDoubt}, {10 * time.Hour, stateInDoubt}} {
					w.reads(c.elapsed)
					recovers(t, d)
					if got := state(t, d, leases[0].OrderID); got != stateSending {
						t.Errorf("after %v the order in flight is %v", c.elapsed, got)
					}
					if got := state(t, d, stray); got != c.stray {
						t.Errorf("after %v the stray order is %v; want %v", c.elapsed, got, c.stray)
					}
				}
				close(answer)
				synctest.Wait()
				if got := state(t, d, leases[0].OrderID); got != stateAccepted {
					t.Errorf("the order in flight ends as %v", got)
				}
			})
		})
	}
}

// stale is a ledger that says who was sending a while ago.
type stale struct {
	ledger.Store
	leases []ledger.Lease
	err    error
}

func (s *stale) Sending(context.Context) ([]ledger.Lease, error) { return s.leases, s.err }

// TestALeaseThatHasChangedMeanwhileIsLeftAlone has orders move on between the reading of leases and their end.
func TestALeaseThatHasChangedMeanwhileIsLeftAlone(t *testing.T) {
	t.Parallel()
	journal := &stale{}
	d := newDesk(t, func(d *desk, p *intake.Params) {
		journal.Store = d.ledger
		p.Ledger = journal
	})
	id := foreign(t, d, "somebody", keyB, "+14165550190")
	lease := ledger.Lease{OrderID: id, Attempt: 1, Owner: "somebody", Term: 90 * time.Second}
	for name, l := range map[string]ledger.Lease{
		"another owner":   {OrderID: id, Attempt: 1, Owner: "somebody else", Term: lease.Term},
		"another attempt": {OrderID: id, Attempt: 2, Owner: "somebody", Term: lease.Term},
	} {
		journal.leases = []ledger.Lease{l}
		recovers(t, d)
		if got := state(t, d, id); got != stateSending {
			t.Errorf("%s: the order is %v; want SENDING", name, got)
		}
	}
	journal.leases = []ledger.Lease{lease}
	step(t, d, id, order.ByAnswer, func(r *ledger.Record) { r.State, r.Ticket = order.Accepted, "T-9" })
	recovers(t, d)
	if got := state(t, d, id); got != stateAccepted {
		t.Errorf("an order that was settled meanwhile is %v", got)
	}
	if n := len(timeline(t, d, id)); n != 2 {
		t.Errorf("%d events; want the claim and the acceptance", n)
	}
	journal.err = errDisk
	if err := d.Recover(t.Context()); err == nil {
		t.Error("Recover says nothing of a ledger that fails")
	}
}

// TestALedgerThatFailsEndsTheOtherLeases has the ledger fail at one of two orders.
func TestALedgerThatFailsEndsTheOtherLeases(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	bad := foreign(t, d, "somebody", keyA, "+14165550190")
	good := foreign(t, d, "somebody", keyB, "+14165550191")
	d.ledger.fails(nil, func(ctx context.Context, id string, s ledger.Step) (ledger.Record, error) {
		if id == bad {
			return ledger.Record{}, errDisk
		}
		return d.ledger.Store.Advance(ctx, id, s)
	})
	if err := d.Recover(t.Context()); err == nil {
		t.Error("Recover says nothing of a ledger that fails")
	}
	if got := state(t, d, good); got != stateInDoubt {
		t.Errorf("the other order is %v; want IN_DOUBT", got)
	}
	d.ledger.fails(nil, nil)
	recovers(t, d)
	if got := state(t, d, bad); got != stateInDoubt {
		t.Errorf("afterwards the order is %v; want IN_DOUBT", got)
	}
}

// TestAProcessThatWasHeldUpDoesNotPost holds it up between the beginning of the claim and the POST. Others may have put the
// order in doubt by then; that it was not sent is certain.
func TestAProcessThatWasHeldUpDoesNotPost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		inClaim, afterwards time.Duration
		ended               bool
		want                portinv1.OrderState
	}{
		"not too long":       {5 * time.Second, 10 * time.Second, false, stateAccepted},
		"after the claim":    {0, 15*time.Second + 1, false, stateNotSent},
		"in the claim":       {15*time.Second + 1, 0, false, stateNotSent},
		"in both":            {8 * time.Second, 8 * time.Second, false, stateNotSent},
		"its lease is ended": {0, 2 * time.Minute, true, stateNotSent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w stopwatch
			w.reads(time.Hour)
			d := newDesk(t, w.on, func(d *desk, p *intake.Params) {
				d.ledger.claim = func(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
					w.Add(int64(c.inClaim))
					return d.ledger.Store.Claim(ctx, r, e)
				}
				p.Reach = func(point intake.Point) {
					if point != intake.PointClaimed {
						return
					}
					w.Add(int64(c.afterwards))
					if c.ended {
						recovers(t, again(t, d))
					}
				}
			})
			_, err := d.PortIn(t.Context(), request(t, keyA))
			r, _ := d.ledger.FindKey(t.Context(), tenant, keyA)
			posts, _ := d.carrier.count()
			if c.want == stateAccepted {
				if err != nil || posts != 1 {
					t.Errorf("%d POSTs, %v; want one", posts, err)
				}
				return
			}
			if reasonOf(err) != fault.ReasonLedgerUnavailable || posts != 0 || r.State != order.NotSent || len(r.Attention) > 0 {
				t.Errorf("the caller is answered %v after %d POSTs, the order is %v; want NOT_SENT", err, posts, r.State)
			}
			d.ledger.fails(nil, nil)
			w.reads(2 * time.Hour)
			c.afterwards, c.ended = 0, false
			if o := placed(t, d, keyA); o.GetState() != stateAccepted || o.GetAttempt() != 2 {
				t.Errorf("sent again, the order is %v", o)
			}
		})
	}
}

// TestTwoIntakesShareTheWork has two intakes, each with its own way to a carrier that takes its time, ask about forty orders.
func TestTwoIntakesShareTheWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		begin := time.Now()
		fleet(t, d, 40)
		var all [2]*enquiries
		for i := range all {
			one := again(t, d, func(d *desk, p *intake.Params) {
				d.carrier = &stubCarrier{}
				p.Carrier = forAll[intake.Carrier](d.carrier)
			})
			all[i] = enquiring(one, func(context.Context, int64) (carrier.Status, error) {
				<-time.After(2 * time.Second)
				return carrier.Status{}, errNone
			})
			running(t, one.Intake)
		}
		pass(10 * time.Minute)
		for i := range int64(40) {
			last, n := begin, 0
			for _, when := range merged(all[0].about(4165560000+i), all[1].about(4165560000+i)) {
				if when.Sub(last) < 15*time.Second<<n {
					t.Errorf("order %d was asked about %v after the time before", i, when.Sub(last))
				}
				last, n = when, n+1
			}
			if n < 4 || n > 5 { // after 15 s, 45 s, 105 s, 225 s and perhaps 465 s, each up to a fifth later
				t.Errorf("order %d was asked about %d times", i, n)
			}
		}
		if a, b := len(all[0].asked), len(all[1].asked); min(a, b) < 40 {
			t.Errorf("one asked %d times, the other %d times", a, b)
		}
	})
}

// TestFault34_AWallClockThatJumpsEndsNothingEarly sets the clock an hour ahead and back again.
func TestFault34_AWallClockThatJumpsEndsNothingEarly(t *testing.T) {
	t.Parallel()
	for name, jumps := range map[string][2]time.Duration{"ahead and back": {time.Hour, 0}, "back and ahead": {-time.Hour, 0}, "ahead": {time.Hour, time.Hour}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				wall := func(now time.Time) time.Time {
					switch since := now.Sub(begin); {
					case since < time.Second:
						return now
					case since < 20*time.Minute:
						return now.Add(jumps[0])
					}
					return now.Add(jumps[1])
				}
				d := newDesk(t, withSubmit(lost), often(time.Minute), func(d *desk, p *intake.Params) {
					shares(d, p)
					p.Now = func() time.Time { return wall(time.Now()) }
				})
				pass(2 * time.Second)
				placing := time.Now()
				asked := enquiring(d, nothing)
				id := placed(t, d, keyA).GetOrderId()
				running(t, d.Intake)
				pass(50 * time.Second)
				sent := foreign(t, d, "somebody", keyB, "+14165550190")
				pass(90 * time.Second)
				if got := state(t, d, sent); got != stateSending {
					t.Errorf("within the term of its lease the order is %v", got)
				}
				pass(150 * time.Second) // two rounds more
				if got := state(t, d, sent); got != stateInDoubt {
					t.Errorf("after the term of its lease the order is %v", got)
				}
				pass(4 * time.Hour)
				times := asked.about(firstNumber)[1:]
				told, resting := toldOf(times, placing, "the carrier knows no port-in of the order's numbers", "")
				for _, e := range told {
					e.EventTime = at(wall(e.GetEventTime().AsTime()))
				}
				happened(t, d, id, append(doubtful(wall(placing), sawNothing, ""), told...))
				paced(t, placing, times, resting)
			})
		})
	}
}

// again is another intake on the ledger and at the carrier of a desk, as after a restart or beside it.
func again(t *testing.T, d *desk, options ...func(*desk, *intake.Params)) *desk {
	t.Helper()
	return newDesk(t, append([]func(*desk, *intake.Params){func(fresh *desk, p *intake.Params) {
		fresh.carrier, fresh.ledger = d.carrier, d.ledger
		p.Carrier, p.Ledger = forAll[intake.Carrier](d.carrier), d.ledger
	}}, options...)...)
}

// fleet places n orders of a number each at once, whose answers get lost.
func fleet(t *testing.T, d *desk, n int) {
	t.Helper()
	submit, byNumber := d.carrier.submit, d.carrier.byNumber
	d.carrier.submit, d.carrier.byNumber = lost, nothing
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			req := request(t, fmt.Sprintf("0193e3a0-0000-4000-8000-%012d", i), fmt.Sprintf("416-556-%04d", i))
			if _, err := d.PortIn(t.Context(), req); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	d.carrier.submit, d.carrier.byNumber = submit, byNumber
}

// inDoubt counts the orders that are in doubt and those that need attention.
func inDoubt(t *testing.T, d *desk) (doubt, attention int) {
	t.Helper()
	n, err := d.ledger.Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n.InDoubt, n.NeedsAttention
}

// unreachableAfter is the answer of a carrier that is down.
func unreachableAfter(wait time.Duration) func(context.Context, int64) (carrier.Status, error) {
	return func(context.Context, int64) (carrier.Status, error) {
		<-time.After(wait)
		return carrier.Status{}, fault.New(fault.ReasonCarrierUnreachable, "down")
	}
}

// merged are times in their order.
func merged(a, b []time.Time) []time.Time {
	return slices.SortedFunc(slices.Values(slices.Concat(a, b)), time.Time.Compare)
}
