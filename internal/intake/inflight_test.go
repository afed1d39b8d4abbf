package intake_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/inflight"
)

// TestAnOrdersLoadIsHeldUntilItsPostIsOver, for the POST has the documents, also when the caller has left.
func TestAnOrdersLoadIsHeldUntilItsPostIsOver(t *testing.T) {
	t.Parallel()
	const weight = 1000
	for name, c := range map[string]struct {
		outcome carrier.Outcome
		panics  bool
	}{
		"accepted": {outcome: accepted(1)}, "refused": {outcome: outcomes["refused"]}, "in doubt": {outcome: outcomes["in doubt"]}, "panicked": {panics: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			d, scale := newDesk(t), inflight.New(weight)
			end := make(chan struct{})
			d.carrier.submit = func(context.Context, carrier.Call) carrier.Outcome {
				<-end
				if c.panics {
					panic("the client")
				}
				return c.outcome
			}
			load, err := scale.Put(weight)
			if err != nil {
				t.Fatal(err)
			}
			ctx, leave := context.WithTimeout(inflight.With(t.Context(), load), 10*time.Second)
			defer leave()
			o, err := d.PortIn(ctx, request(t, keyA)) // which answers before its deadline
			load.LetGo()
			if err != nil || o.GetOrder().GetState() != stateSending || scale.Weight() != weight {
				t.Fatalf("%s: %v, %v; during the POST %d bytes are in flight", name, o, err, scale.Weight())
			}
			close(end)
			synctest.Wait()
			if got := scale.Weight(); got != 0 {
				t.Errorf("%s: after the POST %d bytes are in flight", name, got)
			}
		})
	}
}

// TestAnOrderThatIsNotPostedHoldsNothing, nor does one that is only replayed.
func TestAnOrderThatIsNotPostedHoldsNothing(t *testing.T) {
	t.Parallel()
	d, scale := newDesk(t), inflight.New(1000)
	placed(t, d, keyA)
	for name, number := range map[string]string{"replayed": "", "held": "416-555-0123"} {
		load, err := scale.Put(1000)
		if err != nil {
			t.Fatal(err)
		}
		req := request(t, keyA)
		if number != "" {
			req = request(t, keyB, number)
		}
		_, err = d.PortIn(inflight.With(t.Context(), load), req)
		if (err == nil) != (number == "") {
			t.Errorf("%s: %v", name, err)
		}
		load.LetGo()
		if got := scale.Weight(); got != 0 {
			t.Errorf("%s: %d bytes are in flight", name, got)
		}
	}
}
