package ledgertest

import (
	"context"
	"errors"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// cancelCases are what becomes of calls whose caller has left.
func cancelCases() []aCase {
	return []aCase{
		{"a call whose context is over does nothing", overBeforeItBegan},
		{"a caller that leaves takes nobody with it", leavingAlone},
	}
}

func overBeforeItBegan(t *trial) {
	r := t.claimed(Record(1))
	before := t.seen(r)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range everythingCalled(r, Record(2)) {
		if err := call(ctx, t.Store); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a context that is over: %v, want context.Canceled", name, err)
		}
	}
	t.same("the order", before, t.seen(r))
	t.absent(Record(2))
	t.gone(Elsewhere(3))
	t.same("the endpoints", []ledger.Endpoint(nil), t.endpoints(""))
	t.held(Record(2), false, "after a claim with a context that is over")
}

// leavingAlone lets every second caller leave at some moment while all of them write. The others must not notice.
func leavingAlone(t *trial) {
	const callers = 100
	claims, accepts := make([]error, callers), make([]error, callers)
	together(callers, func(i int) {
		r := Record(i)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		step := Accept(Ticket(i), r.Claimed)
		if i%2 == 1 {
			switch i % 3 {
			case 0:
				go cancel()
			case 1: // In the midst of the work itself.
				change := step.Change
				step.Change = func(r *ledger.Record) (ledger.Entry, error) {
					cancel()
					return change(r)
				}
			}
		}
		_, claims[i] = t.Claim(ctx, r, Entry("claimed"))
		if i%6 == 5 {
			go cancel()
		}
		_, accepts[i] = t.Advance(ctx, r.OrderID, step)
	})
	for i := range callers {
		stayed := i%2 == 0
		if stayed && (claims[i] != nil || accepts[i] != nil) {
			t.Errorf("a caller that stayed: Claim %v, Advance %v", claims[i], accepts[i])
		}
		t.afterwards(Record(i), Ticket(i), claims[i] == nil, accepts[i] == nil)
	}
	r := t.claimed(Record(callers))
	t.advanced(r.OrderID, Move(order.InDoubt, order.ByAnswer, r.Claimed))
}
