package intake_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// Who ends while it asks about an order in doubt gives it back: it is due at once, for whoever comes next.
func TestTheEndWhileADoubtIsAskedAbout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, often(time.Minute))
		d.carrier.submit = lost
		o := placed(t, d, keyA)
		asked := make(chan struct{}, 1)
		d.carrier.byNumber = func(ctx context.Context, _ int64) (carrier.Status, error) {
			asked <- struct{}{}
			<-ctx.Done()
			return carrier.Status{}, ctx.Err()
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { d.Run(ctx) })
		<-asked
		stop()
		running.Wait()
		next, err := d.ledger.Take(t.Context(), ledger.Turn{
			State: order.InDoubt, Now: time.Now().Add(time.Second), Until: time.Now().Add(time.Hour), Limit: 5,
		})
		if err != nil || len(next) != 1 || next[0].OrderID != o.GetOrderId() || next[0].Doubt.Asked != 0 {
			t.Errorf("who comes next takes %v, %v", next, err)
		}
	})
}
