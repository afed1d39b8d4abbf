package intake_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// TestAClaimThatIsTakenBackLateWasNotSent has the ledger fail one process until another one has put its order in doubt. It
// knows that it has sent nothing.
func TestAClaimThatIsTakenBackLateWasNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wire := &tripwire{}
		d := newDesk(t, func(d *desk, p *intake.Params) {
			wire.Store = sharedLedger{d.ledger}
			p.Ledger = wire
		})
		wire.set("Claim", outage, 1)
		if _, err := d.PortIn(t.Context(), request(t, keyA)); reasonOf(err) != fault.ReasonLedgerUnavailable {
			t.Errorf("the caller is answered %v", err)
		}
		beside := again(t, d)
		recovers(t, beside)
		pass(time.Minute)
		r, err := d.ledger.FindKey(t.Context(), tenant, keyA)
		if err != nil || r.State != order.NotSent {
			t.Errorf("the order is %v, %v; want NOT_SENT", r.State, err)
		}
		if o := placed(t, d, keyA); o.GetState() != stateAccepted || o.GetAttempt() != 2 {
			t.Errorf("sent again, the order is %v", o)
		}
		if posts, _ := d.carrier.count(); posts != 1 {
			t.Errorf("%d POSTs; want 1", posts)
		}
	})
}

// TestWhatIsTakenBackIsNotTheNextClaim has a claim fail that was not written, and its taking back come through only when the
// same attempt has been claimed anew and is being sent.
func TestWhatIsTakenBackIsNotTheNextClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		answers := slowly(d, 2)
		first := make(chan error, 1)
		go func() {
			_, err := d.PortIn(t.Context(), request(t, keyA))
			first <- err
		}()
		synctest.Wait()
		answers.answers(1, outcomes["not sent"])
		if err := <-first; reasonOf(err) != fault.ReasonCarrierUnreachable {
			t.Fatal(err)
		}
		var lateStep ledger.Step
		var id string
		d.ledger.fails(noClaim, func(_ context.Context, orderID string, s ledger.Step) (ledger.Record, error) {
			d.ledger.fails(noClaim, nil)
			id, lateStep = orderID, s
			return ledger.Record{}, errDisk
		})
		if _, err := d.PortIn(t.Context(), request(t, keyA)); reasonOf(err) != fault.ReasonLedgerUnavailable {
			t.Errorf("the second attempt is answered %v", err)
		}
		pass(10 * time.Second)
		d.ledger.fails(nil, nil)
		answered := sending(t, d)
		if _, err := d.ledger.Store.Advance(t.Context(), id, lateStep); err == nil && state(t, d, id) != stateSending {
			t.Errorf("while it is being sent, the order is %v", state(t, d, id))
		}
		answers.answers(2, outcomes["accepted"])
		if o := <-answered; o.GetState() != stateAccepted || o.GetNeedsAttention() {
			t.Errorf("the order ends as %v, %v", o.GetState(), attentions(o))
		}
	})
}

// TestAClaimThatShowsUpLateIsTakenBack has the ledger write a claim only after it was given up. For a while the process knows
// that it has sent nothing; a claim that shows up still later is like that of a process that is gone.
func TestAClaimThatShowsUpLateIsTakenBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after, looked time.Duration
		want          portinv1.OrderState
	}{
		"at once":           {0, 0, stateNotSent},
		"within two leases": {3 * time.Minute, 0, stateNotSent},
		"later":             {3*time.Minute + 1, 0, stateSending},
		"much later":        {time.Hour, 90 * time.Second, stateInDoubt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var w stopwatch
				d := newDesk(t, w.on)
				var claim ledger.Record
				d.ledger.fails(func(_ context.Context, r ledger.Record, _ ledger.Entry) (ledger.Record, error) {
					claim = r
					return ledger.Record{}, errDisk
				}, nil)
				if _, err := d.PortIn(t.Context(), request(t, keyA)); reasonOf(err) != fault.ReasonLedgerUnavailable {
					t.Errorf("the caller is answered %v", err)
				}
				synctest.Wait()
				d.ledger.fails(nil, nil)
				if _, err := d.ledger.Claim(t.Context(), claim, ledger.Entry{}); err != nil {
					t.Fatal(err)
				}
				w.reads(c.after)
				recovers(t, d)
				w.reads(c.after + c.looked)
				recovers(t, d)
				if got := stands(t, d, claim.OrderID); got.GetState() != c.want || got.GetNeedsAttention() {
					t.Errorf("the order is %v; want %v", got.GetState(), c.want)
				}
				if c.want != stateNotSent {
					return
				}
				if o := placed(t, d, keyA); o.GetState() != stateAccepted || o.GetAttempt() != 2 {
					t.Errorf("sent again, the order is %v", o.GetState())
				}
			})
		})
	}
}
