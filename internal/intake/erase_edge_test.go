package intake_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// An answer that comes to an erased order can be kept nowhere but in the log.
func TestALateAnswerToAnErasedOrderIsLogged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		d := newDesk(t, logging(&log))
		answers := slowly(d, 1)
		sent := make(chan error, 1)
		go func() {
			_, err := d.PortIn(t.Context(), request(t, keyA))
			sent <- err
		}()
		synctest.Wait()
		r, err := d.ledger.FindKey(t.Context(), tenant, keyA)
		if err != nil {
			t.Fatal(err)
		}
		passages["1 NOT_SENT"](t, d, r.OrderID)
		pass(31 * 24 * time.Hour)
		if _, err := d.Erase(t.Context(), eraseOf(r.OrderID)); err != nil {
			t.Fatal(err)
		}
		answers.answers(1, outcomes["accepted"])
		if f := fault.From(<-sent); f == nil || f.Reason != fault.ReasonRequestIDReused || f.Metadata["order_id"] != r.OrderID {
			t.Errorf("who still waits is told %v", f)
		}
		said := log.String()
		if !strings.Contains(said, "level=ERROR") || !strings.Contains(said, "order_id="+r.OrderID) || !strings.Contains(said, "ticket_id=T-1") {
			t.Errorf("the log says:\n%s", said)
		}
	})
}

// A correction guards the numbers of what it corrects no longer than that stands, also when nobody asks for them any more: else
// nothing of it could ever be erased.
func TestWhatGuardsNothingAnyMoreIsErased(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	begin := func(t *testing.T, options ...func(*desk, *intake.Params)) (d *desk, first, second string) {
		d = newDesk(t, options...)
		one, two := corrections(t, d, refusing)
		if !two.Guards {
			t.Fatal("the correction guards nothing")
		}
		return d, one.GetOrderId(), two.OrderID
	}
	ends := func(t *testing.T, d *desk, id string) {
		step(t, d, id, 0, func(r *ledger.Record) { r.Status, r.Due = order.StatusCancelled, time.Time{} })
	}
	t.Run("by an operator", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			d, first, second := begin(t)
			pass(31 * day)
			_, err := d.Erase(t.Context(), eraseOf(second))
			if f := fault.From(err); f.Reason != fault.ReasonOrderNotErasable || f.Metadata["erasable_time"] != "" {
				t.Errorf("while the other one stands: %v, %v", err, f.Metadata)
			}
			ends(t, d, first)
			_, err = d.Erase(t.Context(), eraseOf(second))
			from, wrong := time.Parse(time.RFC3339, fault.From(err).Metadata["erasable_time"])
			if wrong != nil {
				t.Fatalf("once that is over: %v, %v", err, fault.From(err).Metadata)
			}
			pass(time.Until(from))
			if o, err := d.Erase(t.Context(), eraseOf(second)); err != nil || o.GetEraseTime() == nil {
				t.Errorf("at the time that was said: %v, %v", o, err)
			}
		})
	})
	t.Run("in time", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			d, first, second := begin(t, keeping(ledger.KeyLife))
			_, _ = d.Resubmit(t.Context(), recorrection(second, keyOf(5)))
			third, err := d.ledger.FindKey(t.Context(), tenant, keyOf(5))
			if err != nil || third.State != order.Accepted {
				t.Fatalf("the third: %v, %v", third.State, err)
			}
			ends(t, d, third.OrderID)
			running(t, d.Intake)
			pass(40 * day)
			for _, id := range []string{first, second, third.OrderID} {
				if o := got(t, d, id); o.GetEraseTime() != nil {
					t.Errorf("order %s was erased while the first one stands", id)
				}
			}
			if _, err := d.Erase(t.Context(), eraseOf(third.OrderID)); fault.From(err).Metadata["erasable_time"] != "" {
				t.Errorf("the third, which guards what the second corrects: %v", err)
			}
			ends(t, d, first)
			pass(31 * day)
			if o := got(t, d, first); o.GetEraseTime() == nil {
				t.Error("the first one was not erased")
			}
			pass(31 * day)
			for _, id := range []string{second, third.OrderID} {
				if o := got(t, d, id); o.GetEraseTime() == nil {
					t.Errorf("order %s was not erased", id)
				}
			}
		})
	})
}

// The key of a correction is as good as any other one's, whatever becomes of the order that it corrects: whoever sends it again
// learns of the order that it stands for.
func TestTheKeyOfACorrectionOfAnErasedOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.carrier.submit = refusing
		_, err := d.PortIn(t.Context(), request(t, keyA))
		first := fault.From(err).Metadata["order_id"]
		d.carrier.submit = nil
		second, err := d.Resubmit(t.Context(), correction(first, keyB))
		if err != nil {
			t.Fatal(err)
		}
		pass(31 * 24 * time.Hour)
		if _, err := d.Erase(t.Context(), eraseOf(first)); err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]struct {
			reason fault.Reason
			id     string
			says   string
		}{
			strings.ToUpper(keyB): {fault.ReasonRequestIDReused, second.GetOrder().GetOrderId(), "look at the correction"},
			keyA:                  {fault.ReasonRequestIDReused, first, "contents were removed; choose"},
			keyOf(7):              {fault.ReasonNotCorrectable, first, "corrected by another one"},
		} {
			_, err := d.Resubmit(t.Context(), correction(first, key))
			if f := fault.From(err); f.Reason != want.reason || f.Metadata["order_id"] != want.id || !strings.Contains(f.Message, want.says) {
				t.Errorf("with the key %s: %v, %v", key, err, f.Metadata)
			}
		}
		try := correction(first, keyB)
		try.ValidateOnly = true
		if _, err := d.Resubmit(t.Context(), try); reasonOf(err) != fault.ReasonNotCorrectable {
			t.Errorf("for a try, which uses no key: %v", err)
		}
		if posts, _ := d.carrier.count(); posts != 2 {
			t.Errorf("%d POSTs; want 2", posts)
		}
	})
}

// A clock that was set back does not make an order young again whose siblings may be erased.
func TestAnOldDoubtStaysOldWhenTheClockIsSetBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var behind time.Duration
		d := newDesk(t, keeping(0), func(_ *desk, p *intake.Params) { p.Now = func() time.Time { return time.Now().Add(-behind) } })
		d.carrier.submit = lost
		seen := enquiring(d, nothing)
		o := placed(t, d, keyA)
		pass(30 * 24 * time.Hour)
		behind = 10 * 24 * time.Hour
		seen.says(always(exact("T-1"), nil))
		running(t, d.Intake)
		pass(3 * 24 * time.Hour)
		if o := got(t, d, o.GetOrderId()); o.GetState() != stateInDoubt {
			t.Errorf("the order is %v", o.GetState())
		}
	})
}

// Orders that can never be erased, however many, keep the others waiting for a round or two and no longer.
func TestOrdersThatCannotBeErasedKeepNobodyWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, keeping(ledger.KeyLife))
		const broken, whole = 12, 3
		ids := map[string]bool{}
		var rest []string
		for i := range broken + whole {
			o := completed(t, d, fmt.Sprintf("0193e3a0-0000-4000-8000-%012d", i), fmt.Sprintf("416-555-%04d", i))
			if i < broken {
				ids[o.GetOrderId()] = true
			} else {
				rest = append(rest, o.GetOrderId())
			}
			pass(time.Second)
		}
		var mended atomic.Bool
		var tries atomic.Int64
		d.ledger.erase = func(id string) error {
			tries.Add(1)
			if ids[id] && !mended.Load() {
				return errDisk
			}
			return nil
		}
		pass(31 * 24 * time.Hour)
		running(t, d.Intake)
		pass(90 * time.Minute)
		if n := tries.Load(); n != 5 {
			t.Errorf("the first round tries %d orders, want 5: the ledger itself may be broken", n)
		}
		pass(150 * time.Minute)
		for _, id := range rest {
			if o := got(t, d, id); o.GetEraseTime() == nil {
				t.Errorf("order %s waits for those before it", id)
			}
		}
		mended.Store(true)
		pass(6 * time.Hour)
		if n := d.Erased(); n != broken+whole {
			t.Errorf("%d orders were erased, want %d", n, broken+whole)
		}
	})
}

// What an old order of which no ticket is known has become is not read off its number, before it is corrected either.
func TestAnOldOrderIsNotTakenForRejectedByANumber(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		days int
		want fault.Reason
	}{"after four weeks": {28, ""}, "after thirty days": {30, fault.ReasonNotCorrectable}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				d.carrier.submit = func(context.Context, carrier.Call) carrier.Outcome { return outcomes["deferred"] }
				o := placed(t, d, keyA)
				d.carrier.submit = nil
				step(t, d, o.GetOrderId(), 0, func(r *ledger.Record) { r.Status = order.StatusRejected })
				pass(time.Duration(c.days) * 24 * time.Hour)
				enquiring(d, always(undisputed("T-1", "REJECTED"), nil))
				if _, err := d.Resubmit(t.Context(), correction(o.GetOrderId(), keyB)); reasonOf(err) != c.want {
					t.Errorf("a correction: %v, want %q", err, c.want)
				}
			})
		})
	}
}
