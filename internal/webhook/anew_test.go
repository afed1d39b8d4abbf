package webhook

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/ledger"
)

const otherURL = "https://other.example/?" + planted

// slowly answers with one status after a while.
func (r *receiver) slowly(code int, after time.Duration) {
	r.answers(func(context.Context, message) (*http.Response, error) {
		<-time.After(after)
		return status(code), nil
	})
}

// hosts are where messages went, as they came.
func hosts(list []message) (all []string) {
	for _, m := range list {
		all = append(all, m.host)
	}
	return all
}

// While a delivery is under way the endpoint moves, and nothing else can be tried before the old URL has answered. What it
// answers is not what becomes of the delivery: the new URL is told.
func TestALateAnswerOfTheOldURLSettlesNothing(t *testing.T) {
	t.Parallel()
	for _, late := range []int{http.StatusOK, http.StatusInternalServerError} {
		t.Run(http.StatusText(late), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, func(p *Params) { p.Config.AtOnce = 1 })
				defer h.runs()()
				id := h.creates(&portinv1.WebhookEndpoint{})
				h.receiver.slowly(late, 2*time.Second)
				h.ledger.tell(happened("o-1"))
				pass(time.Second)
				h.receiver.always(http.StatusAccepted)
				h.updates(id, &portinv1.WebhookEndpoint{Url: new(otherURL)})
				pass(2 * time.Second)
				got := h.receiver.got()
				if diff := cmp.Diff([]string{"receiver.example", "other.example"}, hosts(got)); diff != "" {
					t.Fatalf("where the event went (-want +got):\n%s", diff)
				}
				want := []*portinv1.WebhookDelivery{{
					WebhookId: got[0].id, OrderId: "o-1", Sequence: 1, State: portinv1.WebhookDeliveryState_WEBHOOK_DELIVERY_STATE_DELIVERED,
					Attempt: 1, HttpStatus: http.StatusAccepted, AttemptTime: timestamppb.New(got[1].at),
				}}
				if diff := cmp.Diff(want, h.lists(id), protocmp.Transform()); diff != "" {
					t.Errorf("deliveries (-want +got):\n%s", diff)
				}
				if log := h.journal.String(); log != "" {
					t.Errorf("the log is %s", log)
				}
			})
		})
	}
}

// An endpoint that moves away from a URL which hangs and then fails is told of everything at once, and is none that fails.
func TestTheNewURLDoesNotPayForTheOldOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		defer h.runs()()
		id := h.creates(&portinv1.WebhookEndpoint{})
		h.receiver.slowly(http.StatusInternalServerError, 10*time.Second)
		const orders = 20
		for i := range orders {
			h.ledger.tell(happened("o-" + itoa(i)))
		}
		pass(time.Second)
		if n := len(h.receiver.got()); n != h.config.PerEndpoint {
			t.Fatalf("%d deliveries are under way to the old URL", n)
		}
		h.receiver.slowly(http.StatusOK, 3*time.Second)
		h.updates(id, &portinv1.WebhookEndpoint{Url: new(otherURL)})
		// The old URL has failed in the middle of it.
		pass(time.Duration(orders/h.config.PerEndpoint)*3*time.Second + time.Second/2)
		if e := h.reads(id); e.GetPendingCount() != 0 || e.FailingSinceTime != nil {
			t.Errorf("the endpoint is %v", e)
		}
		if n := len(h.receiver.got()); n != orders {
			t.Errorf("%d messages to the new URL, want %d", n, orders)
		}
	})
}

// A 410 to a delivery that began before the endpoint was enabled again does not disable it once more.
func TestGoneBeforeItWasEnabledAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		defer h.runs()()
		id := h.creates(&portinv1.WebhookEndpoint{})
		h.receiver.slowly(http.StatusGone, 3*time.Second)
		h.ledger.tell(happened("o-1"))
		pass(time.Second)
		h.receiver.answers(nil)
		h.updates(id, &portinv1.WebhookEndpoint{Disabled: new(true)})
		pass(time.Second)
		h.updates(id, &portinv1.WebhookEndpoint{}, "disabled")
		pass(10 * time.Second)
		if e := h.reads(id); e.GetDisabled() || e.GetPendingCount() != 0 || h.counter.now().disabled != 0 {
			t.Errorf("the endpoint is %v", e)
		}
	})
}

// interrupted is a ledger in which something happens just before or just after deliveries are handed out for the first time.
type interrupted struct {
	*memory

	after bool
	once  sync.Once
	by    func()
}

func (l *interrupted) TakeDeliveries(ctx context.Context, id string, now, until time.Time, limit int) ([]ledger.Delivery, error) {
	if l.after {
		defer l.once.Do(l.by)
	} else {
		l.once.Do(l.by)
	}
	return l.memory.TakeDeliveries(ctx, id, now, until, limit)
}

// An endpoint changes after it was looked at and before it is told, when what is due for it is taken: its old URL is told
// nothing any more.
func TestAnEndpointThatChangesJustBeforeItIsTold(t *testing.T) {
	t.Parallel()
	move, disable := &portinv1.WebhookEndpoint{Url: new(otherURL)}, &portinv1.WebhookEndpoint{Disabled: new(true)}
	for name, c := range map[string]struct {
		after  bool
		change *portinv1.WebhookEndpoint
		want   []string
	}{
		"moved before":    {false, move, []string{"other.example"}},
		"moved after":     {true, move, []string{"other.example", "other.example"}}, // taken before the move, and once more
		"disabled before": {false, disable, nil},
		"disabled after":  {true, disable, nil},
		"deleted before":  {false, nil, nil},
		"deleted after":   {true, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				id := h.creates(&portinv1.WebhookEndpoint{})
				pass(time.Second)
				h.Webhooks.ledger = &interrupted{memory: h.ledger, after: c.after, by: func() {
					if c.change != nil {
						h.updates(id, c.change)
					} else if err := h.DeleteEndpoint(t.Context(), tenant, id); err != nil {
						t.Error(err)
					}
				}}
				defer h.runs()()
				h.ledger.tell(happened("o-1"))
				pass(time.Second)
				if diff := cmp.Diff(c.want, hosts(h.receiver.got())); diff != "" {
					t.Errorf("where the event went (-want +got):\n%s", diff)
				}
				if log := h.journal.String(); log != "" {
					t.Errorf("the log is %s", log)
				}
			})
		})
	}
}
