package intake_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
)

// TestFault22_ManyOrdersInDoubtWhileTheCarrierIsDown restarts with sixty orders in doubt, and has the carrier come back after
// half an hour.
func TestFault22_ManyOrdersInDoubtWhileTheCarrierIsDown(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]time.Duration{"refused at once": 0, "after ten seconds": 10 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				fleet(t, d, 60)
				asked := enquiring(d, unreachableAfter(wait))
				begin := time.Now()
				fresh := again(t, d)
				if err := fresh.Recover(t.Context()); err != nil {
					t.Error(err)
				}
				running(t, fresh.Intake)
				pass(30 * time.Minute)
				perMinute, gaps := map[time.Duration]int{}, map[time.Duration]bool{}
				for i, a := range asked.asked {
					perMinute[a.At.Sub(begin)/time.Minute]++
					if i > 0 {
						gaps[a.At.Sub(asked.asked[i-1].At)] = true
					}
				}
				if perMinute[0] > 15 || perMinute[1] > 10 || len(gaps) < 6 { // after ten seconds each and long rests there are ten or so
					t.Errorf("%d and %d look-ups in the first minutes, with %d gaps; want them few and jittered", perMinute[0], perMinute[1], len(gaps))
				}
				for m := time.Duration(8); m < 29; m++ {
					if n := perMinute[m] + perMinute[m+1]; n > 6 {
						t.Errorf("%d look-ups in minutes %d and %d of a carrier that does not answer", n, m, m+1)
					}
				}
				back := len(asked.asked)
				asked.says(func(_ context.Context, number int64) (carrier.Status, error) {
					return status(fmt.Sprintf("S-%d", number), "PENDING", number), nil
				})
				pass(20 * time.Minute)
				for i, a := range asked.asked[back+1:] {
					if gap := a.At.Sub(asked.asked[back+i].At); gap < 499*time.Millisecond {
						t.Errorf("the look-ups %d and %d since the carrier is back are %v apart; want two a second at most", i, i+1, gap)
					}
				}
				if doubt, attention := inDoubt(t, d); doubt != 0 || attention != 0 {
					t.Errorf("20 minutes after the carrier came back %d orders are in doubt, and %d need attention", doubt, attention)
				}
				if posts, _ := d.carrier.count(); posts != 60 {
					t.Errorf("%d POSTs; want 60", posts)
				}
			})
		})
	}
}

// TestAttentionComesAfterTwiceTheWindowInAnyCase has so many orders in doubt that a carrier that is down is not asked about
// most of them.
func TestAttentionComesAfterTwiceTheWindowInAnyCase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, often(time.Minute))
		fleet(t, d, 60)
		asked := enquiring(d, unreachableAfter(0))
		running(t, d.Intake)
		pass(time.Hour - time.Second)
		if _, attention := inDoubt(t, d); attention != 0 {
			t.Errorf("%d orders need attention within the hour; the carrier has said nothing yet", attention)
		}
		pass(90 * time.Minute)
		if doubt, attention := inDoubt(t, d); doubt != 60 || attention != 60 {
			t.Errorf("after two hours and a half %d orders are in doubt, and %d of them need attention; want all", doubt, attention)
		}
		if n := len(asked.asked); n > 150 {
			t.Errorf("%d look-ups at a carrier that is down", n)
		}
	})
}

// TestAnotherOrderOfTheFirstNumberMakesATicketNobodys for a day and the window: one that was refused may have left a ticket
// that becomes visible late.
func TestAnotherOrderOfTheFirstNumberMakesATicketNobodys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		number string
		before time.Duration
		want   portinv1.OrderState
	}{
		"a moment ago":            {"416-555-0123", time.Second, stateInDoubt},
		"a day ago":               {"416-555-0123", 24*time.Hour + 30*time.Minute, stateInDoubt},
		"longer ago":              {"416-555-0123", 24*time.Hour + 30*time.Minute + time.Second, stateAccepted},
		"of the second number":    {"416-555-0124", time.Second, stateAccepted},
		"of the first as another": {"416-555-0199", time.Second, stateAccepted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				refuses(t, d, c.number)
				pass(c.before)
				d.carrier.submit = lost
				id := placed(t, d, keyA).GetOrderId()
				d.carrier.byNumber = always(exact("T-7"), nil)
				running(t, d.Intake)
				pass(25 * time.Second)
				if got := state(t, d, id); got != c.want {
					t.Errorf("in doubt, the order becomes %v; want %v", got, c.want)
				}
				if c.want != stateInDoubt {
					return
				}
				// The same before it is sent again: the ticket does not keep it from being sent.
				if _, err := d.Resolve(t.Context(), wasNotPlaced(id)); err != nil {
					t.Fatal(err)
				}
				d.carrier.submit = nil
				if o := placed(t, d, keyA); o.GetAttempt() != 2 || o.GetTicketId() == "T-7" {
					t.Errorf("sent again, the order is %v under %q", o.GetState(), o.GetTicketId())
				}
			})
		})
	}
}
