package intake_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/order"
)

// TestAFindingAboutAnOrderThatHasMovedOnIsDropped has the carrier show an order's ticket when somebody has just decided
// about the order, or its caller has sent it again.
func TestAFindingAboutAnOrderThatHasMovedOnIsDropped(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meanwhile func(t *testing.T, d *desk, id string)
		want      portinv1.OrderState
	}{
		"not sent": {func(t *testing.T, d *desk, id string) { moved(t, d, id, order.ByOperator, order.NotSent, "") }, stateNotSent},
		"refused":  {func(t *testing.T, d *desk, id string) { moved(t, d, id, order.ByAnswer, order.Refused, "") }, stateRefused},
		"accepted": {func(t *testing.T, d *desk, id string) { moved(t, d, id, order.ByAnswer, order.Accepted, "T-8") }, stateAccepted},
		"sent again, and in doubt again": {func(t *testing.T, d *desk, id string) {
			moved(t, d, id, order.ByOperator, order.NotSent, "")
			resending(t, d, id)
			moved(t, d, id, order.ByAnswer, order.InDoubt, "")
		}, stateInDoubt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, withSubmit(lost))
				o := placed(t, d, keyA)
				told := func() int { return len(timeline(t, d, o.GetOrderId())) }
				var events int
				d.carrier.byNumber = func(context.Context, int64) (carrier.Status, error) {
					c.meanwhile(t, d, o.GetOrderId())
					events = told()
					return exact("T-7"), nil
				}
				running(t, d.Intake)
				pass(25 * time.Second)
				got := stands(t, d, o.GetOrderId())
				if got.GetState() != c.want || got.GetTicketId() == "T-7" || told() != events || events < 3 {
					t.Errorf("the order is %v under %q after %d events; want %v", got.GetState(), got.GetTicketId(), events, c.want)
				}
			})
		})
	}
}

// TestWhoTookAnOrderTooLongAgoHasNoSay has one intake wait for the carrier until another one has taken its order.
func TestWhoTookAnOrderTooLongAgoHasNoSay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, withSubmit(lost))
		begin := time.Now()
		id := placed(t, d, keyA).GetOrderId()
		answer := make(chan struct{})
		d.carrier.byNumber = func(context.Context, int64) (carrier.Status, error) {
			<-answer
			return status("T-8", "PENDING", firstNumber), nil
		}
		running(t, d.Intake)
		pass(time.Minute) // it is waiting for the carrier
		beside := again(t, d, func(d *desk, p *intake.Params) {
			d.carrier = &stubCarrier{}
			p.Carrier = forAll[intake.Carrier](d.carrier)
		})
		asked := enquiring(beside, nothing)
		running(t, beside.Intake)
		pass(4 * time.Minute)
		if n := len(asked.about(firstNumber)); n != 0 {
			t.Errorf("within five minutes the other intake has asked %d times", n)
		}
		pass(2*time.Minute + 30*time.Second) // turns end after five minutes and a fifth
		close(answer)
		synctest.Wait()
		told, _ := toldOf(asked.about(firstNumber), begin, "the carrier knows no port-in of the order's numbers", "")
		happened(t, d, id, append(doubtful(begin, sawNothing, ""), told...))
		if len(told) == 0 {
			t.Error("the other intake has said nothing")
		}
	})
}
