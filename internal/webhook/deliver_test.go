package webhook

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/ledger"
)

func TestAnEventIsDelivered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		defer h.runs()()
		h.ledger.tell(happened("before"))
		id := h.creates(&portinv1.WebhookEndpoint{})
		e := happened("o-1")
		h.ledger.tell(e)
		pass(time.Second)
		got := h.receiver.got()
		if len(got) != 1 {
			t.Fatalf("%d messages, want 1", len(got))
		}
		m := got[0]
		want := `{"type":"port_in_order.state_changed","timestamp":"2000-01-01T00:00:01Z","data":{"orderId":"o-1","sequence":"2",` +
			`"eventTime":"2000-01-01T00:00:01Z","actorKind":"ACTOR_KIND_UNSPECIFIED","actor":"","type":"PORT_IN_ORDER_EVENT_TYPE_STATE_CHANGED",` +
			`"attempt":0,"state":"ORDER_STATE_UNSPECIFIED","carrierStatus":"CARRIER_STATUS_UNSPECIFIED","carrierStatusWord":"",` +
			`"carrierStatusValidated":false,"disputing":false,"ticketId":"","unverified":false,"portDate":"","category":"CATEGORY_UNSPECIFIED",` +
			`"attentionCodes":[],"correctsOrderId":"","correctedByOrderId":"","note":"a <note> & more"}}`
		if diff := cmp.Diff(want, string(m.body)); diff != "" {
			t.Errorf("body (-want +got):\n%s", diff)
		}
		h.verified(m, h.secrets[0])
		signature := m.header.Get("Webhook-Signature")
		header := http.Header{
			"Content-Type": {"application/json"}, "User-Agent": {"portin"}, "Webhook-Id": {m.id}, "Webhook-Timestamp": {"946684801"},
			"Webhook-Signature": {signature},
		}
		if diff := cmp.Diff(header, m.header); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
		listed := []*portinv1.WebhookDelivery{{
			WebhookId: m.id, OrderId: "o-1", Sequence: 2, State: portinv1.WebhookDeliveryState_WEBHOOK_DELIVERY_STATE_DELIVERED,
			Attempt: 1, HttpStatus: 204, AttemptTime: timestamppb.New(m.at),
		}}
		if diff := cmp.Diff(listed, h.lists(id), protocmp.Transform()); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
		if e := h.reads(id); !e.GetSuccessTime().AsTime().Equal(m.at) || e.FailingSinceTime != nil || e.GetPendingCount() != 0 {
			t.Errorf("the endpoint is %v", e)
		}
		if !strings.HasPrefix(m.id, "msg_") || strings.Contains(m.id, ".") {
			t.Errorf("webhook-id %q", m.id)
		}
	})
}

// gaps are the times between messages.
func gaps(list []message) (all []time.Duration) {
	for i := 1; i < len(list); i++ {
		all = append(all, list[i].at.Sub(list[i-1].at).Round(3*time.Second))
	}
	return all
}

func TestFault31_FailuresAreTriedForThreeDays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		defer h.runs()()
		id := h.creates(&portinv1.WebhookEndpoint{})
		h.receiver.always(http.StatusInternalServerError)
		h.ledger.tell(happened("o-1"))
		pass(4 * 24 * time.Hour)
		got := h.receiver.got()
		want := []time.Duration{6 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour}
		if diff := cmp.Diff(want, gaps(got)[:len(want)]); diff != "" {
			t.Errorf("time between tries (-want +got):\n%s", diff)
		}
		first, last := got[0], got[len(got)-1]
		if d := last.at.Sub(first.at); d < giveUpAfter || d > giveUpAfter+takeEvery {
			t.Errorf("the last try is %s after the first", d)
		}
		listed := []*portinv1.WebhookDelivery{{
			WebhookId: first.id, OrderId: "o-1", Sequence: 1, State: portinv1.WebhookDeliveryState_WEBHOOK_DELIVERY_STATE_GIVEN_UP,
			Attempt: int32(len(got)), HttpStatus: 500, Problem: "it answered 500", AttemptTime: timestamppb.New(last.at),
		}}
		if diff := cmp.Diff(listed, h.lists(id), protocmp.Transform()); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
		for _, m := range got {
			if m.id != first.id || !bytes.Equal(m.body, first.body) {
				t.Errorf("%s is another message than %s", m.id, first.id)
			}
		}

		// Days later it is replayed: the same message again, with three days before it.
		h.receiver.always(http.StatusServiceUnavailable)
		resp, err := h.Replay(t.Context(), tenant, &portinv1.ReplayWebhookDeliveriesRequest{EndpointId: strings.ToUpper(id), OnlyGivenUp: true})
		if err != nil || resp.GetReplayedCount() != 1 {
			t.Fatalf("replayed %v, %v", resp, err)
		}
		pass(20 * time.Second)
		h.receiver.always(http.StatusOK)
		pass(time.Minute)
		again := h.receiver.got()
		if n := len(again); n != 3 || again[n-1].id != first.id {
			t.Fatalf("%d tries after the replay", n)
		}
		h.verified(again[2], h.secrets[0])
		listed[0].State, listed[0].Attempt, listed[0].HttpStatus, listed[0].Problem = portinv1.WebhookDeliveryState_WEBHOOK_DELIVERY_STATE_DELIVERED, 3, 200, ""
		listed[0].AttemptTime = timestamppb.New(again[2].at)
		if diff := cmp.Diff(listed, h.lists(id), protocmp.Transform()); diff != "" {
			t.Errorf("deliveries after the replay (-want +got):\n%s", diff)
		}
		resp, err = h.Replay(t.Context(), tenant, &portinv1.ReplayWebhookDeliveriesRequest{EndpointId: id, OnlyGivenUp: true})
		if err != nil || resp.GetReplayedCount() != 0 {
			t.Errorf("replayed %v, %v, want nothing", resp, err)
		}
		resp, err = h.Replay(t.Context(), tenant, &portinv1.ReplayWebhookDeliveriesRequest{EndpointId: id, FromSequence: new(int64(1))})
		if err != nil || resp.GetReplayedCount() != 1 {
			t.Errorf("replayed %v, %v, want what was delivered", resp, err)
		}
		pass(time.Minute)
	})
}

func TestAStuckOrderBlocksNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		defer h.runs()()
		h.creates(&portinv1.WebhookEndpoint{})
		h.receiver.answers(func(ctx context.Context, m message) (*http.Response, error) {
			if m.Data.OrderID == "stuck" {
				return hang(ctx, m)
			}
			return status(http.StatusOK), nil
		})
		h.ledger.tell(happened("stuck"), happened("stuck"))
		for range 20 {
			h.ledger.tell(happened("a"), happened("b"), happened("c"))
		}
		pass(10 * time.Second)
		orders := map[string][]string{}
		for _, m := range h.receiver.got() {
			orders[m.Data.OrderID] = append(orders[m.Data.OrderID], m.Data.Sequence)
		}
		want := map[string][]string{"stuck": {"1"}}
		for i := range 20 {
			want["a"] = append(want["a"], itoa(3+3*i))
			want["b"] = append(want["b"], itoa(4+3*i))
			want["c"] = append(want["c"], itoa(5+3*i))
		}
		if diff := cmp.Diff(want, orders); diff != "" {
			t.Errorf("events of orders (-want +got):\n%s", diff)
		}
		// The second event of the order waits for the first.
		h.receiver.answers(nil)
		pass(time.Minute)
		if diff := cmp.Diff([]string{"1", "2"}, sequences(h.receiver.got())); diff != "" {
			t.Errorf("the order that was stuck (-want +got):\n%s", diff)
		}
	})
}

func TestTwoWorkersShareTheWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := newHouse(t)
		two := newHouse(t, func(p *Params) { p.Ledger = one.ledger })
		two.client = one.client
		defer one.runs()()
		defer two.runs()()
		one.receiver.answers(func(ctx context.Context, _ message) (*http.Response, error) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(300 * time.Millisecond):
				return status(http.StatusOK), nil
			}
		})
		one.creates(&portinv1.WebhookEndpoint{})
		var want []string
		for i := range 200 {
			one.ledger.tell(happened("o-" + itoa(i%40)))
			want = append(want, itoa(i+1))
		}
		pass(2 * time.Minute)
		if diff := cmp.Diff(sorted(want), sorted(sequences(one.receiver.got()))); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if a, b := one.counter.now().results[Taken], two.counter.now().results[Taken]; a+b != 200 || a == 0 || b == 0 {
			t.Errorf("one worker delivered %d, the other %d", a, b)
		}
	})
}

func TestARestartLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before := newHouse(t)
		before.receiver.answers(hang)
		stop := before.runs()
		id := before.creates(&portinv1.WebhookEndpoint{})
		before.ledger.tell(happened("o-1"), happened("o-1"), happened("o-2"))
		pass(time.Second)
		began := time.Now()
		stop()
		if d := time.Since(began); d != before.config.Grace {
			t.Errorf("stopping took %s, want the grace", d)
		}
		if diff := cmp.Diff([]string{"1", "3"}, sorted(sequences(before.receiver.got()))); diff != "" {
			t.Errorf("events before (-want +got):\n%s", diff)
		}
		before.ledger.tell(happened("o-3"))

		after := newHouse(t, func(p *Params) { p.Ledger = before.ledger })
		defer after.runs()()
		pass(time.Second)
		if diff := cmp.Diff([]string{"4"}, sequences(after.receiver.got())); diff != "" {
			t.Errorf("events while the leases last (-want +got):\n%s", diff)
		}
		pass(lease)
		if diff := cmp.Diff([]string{"1", "2", "3"}, sorted(sequences(after.receiver.got()))); diff != "" {
			t.Errorf("events after (-want +got):\n%s", diff)
		}
		for _, d := range after.lists(id) {
			if d.GetAttempt() != 1 {
				t.Errorf("a try that was cut short counts: %v", d)
			}
		}
	})
}

// A delivery under way that ends within the grace counts.
func TestStoppingWaitsForDeliveries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.receiver.answers(func(context.Context, message) (*http.Response, error) {
			<-time.After(3 * time.Second)
			return status(http.StatusOK), nil
		})
		stop := h.runs()
		id := h.creates(&portinv1.WebhookEndpoint{})
		h.ledger.tell(happened("o-1"))
		pass(time.Second)
		stop()
		if got := h.lists(id)[0].GetState(); got != portinv1.WebhookDeliveryState_WEBHOOK_DELIVERY_STATE_DELIVERED {
			t.Errorf("the delivery is %s", got)
		}
	})
}

func TestFault32_PanicIsOneLineAndOneCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mended atomic.Bool
		h := newHouse(t, func(p *Params) {
			p.Render = func(e ledger.Event) *portinv1.PortInOrderEvent {
				if !mended.Load() && e.OrderID == "bad" {
					panic(planted)
				}
				return rendered(e)
			}
		})
		defer h.runs()()
		id := h.creates(&portinv1.WebhookEndpoint{})
		h.ledger.tell(happened("bad"), happened("good"))
		pass(3 * time.Second)
		if diff := cmp.Diff([]string{"2"}, sequences(h.receiver.got())); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		log := h.journal.String()
		if h.counter.now().panicked != 1 || strings.Count(log, "\n") != 1 || !strings.Contains(log, "webhooks panicked") || !strings.Contains(log, "TestFault32") {
			t.Errorf("%d panics were counted; the log is %s", h.counter.now().panicked, log)
		}
		if d := h.lists(id)[1]; d.GetProblem() != "the service failed to send it; its log says why" || d.GetAttempt() != 1 {
			t.Errorf("the delivery is %v", d)
		}
		mended.Store(true)
		pass(10 * time.Second)
		if diff := cmp.Diff([]string{"1"}, sequences(h.receiver.got())); diff != "" {
			t.Errorf("events afterwards (-want +got):\n%s", diff)
		}
	})
}

// Every call of the ledger fails for a while, one after the other and all at once; nothing is lost and nobody stops.
func TestALedgerThatFailsNowAndThen(t *testing.T) {
	t.Parallel()
	for _, call := range []string{
		"", "Head", "Changes", "Endpoints", "Enqueue", "DueEndpoints", "TakeDeliveries", "SettleDelivery", "PutEndpoint", "PendingDeliveries",
	} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				defer h.runs()()
				h.creates(&portinv1.WebhookEndpoint{})
				mend := h.ledger.breaks(call)
				h.ledger.tell(happened("o-1"), happened("o-1"))
				pass(20 * time.Second)
				mend()
				pass(3 * time.Minute)
				got := sequences(h.receiver.got())
				if diff := cmp.Diff([]string{"1", "2"}, slices.Compact(got)); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestAnEventThatIsGoneIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.creates(&portinv1.WebhookEndpoint{})
		err := h.ledger.Enqueue(t.Context(), id, 0, 7, []ledger.Delivery{{OrderID: "o-1", Sequence: 7, Time: time.Now(), Due: time.Now()}})
		if err != nil {
			t.Fatal(err)
		}
		defer h.runs()()
		pass(time.Minute)
		d := h.lists(id)[0]
		if d.GetState() != portinv1.WebhookDeliveryState_WEBHOOK_DELIVERY_STATE_GIVEN_UP || d.GetProblem() != "the event is no longer kept" {
			t.Errorf("the delivery is %v", d)
		}
	})
}

func TestOldDeliveriesAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, func(p *Params) { p.Config.Keep = 5 * time.Hour })
		defer h.runs()()
		id := h.creates(&portinv1.WebhookEndpoint{})
		disabled := h.creates(&portinv1.WebhookEndpoint{Disabled: new(true)})
		refusing := h.creates(at("https://refusing.example/?" + planted))
		h.receiver.answers(func(_ context.Context, m message) (*http.Response, error) {
			if m.host == "refusing.example" {
				return status(http.StatusInternalServerError), nil
			}
			return status(http.StatusNoContent), nil
		})
		for range forgetAtOnce + 1 {
			h.ledger.tell(happened("o-1"))
		}
		pass(4 * time.Hour)
		const all = forgetAtOnce + 1
		if diff := cmp.Diff(map[string]int{id: all, disabled: all, refusing: all}, h.ledger.kept()); diff != "" {
			t.Errorf("kept within the time (-want +got):\n%s", diff)
		}
		pass(3 * time.Hour)
		if diff := cmp.Diff(map[string]int{id: 0, disabled: 0, refusing: all}, h.ledger.kept()); diff != "" {
			t.Errorf("kept after the time (-want +got):\n%s", diff)
		}
	})
}

// A ledger that was restored from a backup gives sequences again, and receivers must not take the new events for old ones.
func TestWebhookIDsOfASequenceThatIsGivenAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		onIt := func(p *Params) { p.Ledger = m }
		id := newHouse(t, onIt).creates(&portinv1.WebhookEndpoint{})
		ids := map[string]bool{}
		for n, orderID := range []string{"o-1", "o-2", "o-2"} {
			m.restored(id)
			h := newHouse(t, onIt)
			stop := h.runs()
			m.tell(happened(orderID))
			pass(time.Second)
			stop()
			heard := h.receiver.got()
			if len(heard) != 1 || heard[0].Data.Sequence != "1" {
				t.Fatalf("%d messages came of %s", len(heard), orderID)
			}
			if ids[heard[0].id] = true; len(ids) != n+1 {
				t.Errorf("event %d of %s has an id that was used before", n, orderID)
			}
			if listed := h.lists(id)[0].GetWebhookId(); listed != heard[0].id {
				t.Errorf("the list has %s, the receiver got %s", listed, heard[0].id)
			}
		}
	})
}
