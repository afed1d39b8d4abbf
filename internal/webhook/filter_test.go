package webhook

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

func TestFilters(t *testing.T) {
	t.Parallel()
	const (
		sending  = portinv1.OrderState_ORDER_STATE_SENDING
		accepted = portinv1.OrderState_ORDER_STATE_ACCEPTED
		inDoubt  = portinv1.OrderState_ORDER_STATE_IN_DOUBT
		open     = portinv1.Category_CATEGORY_OPEN
		closed   = portinv1.Category_CATEGORY_CLOSED
	)
	event := func(kind ledger.EventType, was, is ledger.Standing) ledger.Event {
		return ledger.Event{Tenant: tenant, Type: kind, Was: was, Is: is}
	}
	created := event(ledger.EventClaimed, 0, standing(order.Sending, ""))
	taken := event(ledger.EventStateChanged, standing(order.Sending, ""), standing(order.Accepted, order.StatusPending))
	done := event(ledger.EventStatusChanged, standing(order.Accepted, order.StatusPending), standing(order.Accepted, order.StatusCompleted))
	foreign := taken
	foreign.Tenant = "another"
	for _, c := range []struct {
		name                 string
		spec                 spec
		created, taken, done bool
	}{
		{"everything", spec{}, true, true, true},
		{"a type", spec{EventTypes: []portinv1.PortInOrderEventType{portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_STATUS_CHANGED}}, false, false, true},
		{"entering or leaving a state", spec{States: []portinv1.OrderState{sending}}, true, true, false},
		{"one of two states", spec{States: []portinv1.OrderState{inDoubt, accepted}}, false, true, true},
		{"another state", spec{States: []portinv1.OrderState{inDoubt}}, false, false, false},
		{"entering a category", spec{Categories: []portinv1.Category{closed}}, false, false, true},
		{"entering or leaving a category", spec{Categories: []portinv1.Category{open}}, false, true, true},
		{"both", spec{States: []portinv1.OrderState{sending}, Categories: []portinv1.Category{open}}, false, true, false},
	} {
		e := endpoint{tenant: tenant, spec: c.spec}
		got := [4]bool{e.wants(created), e.wants(taken), e.wants(done), e.wants(foreign)}
		if want := [4]bool{c.created, c.taken, c.done, false}; got != want {
			t.Errorf("%s: wants %v, want %v", c.name, got, want)
		}
	}
}

// Many events that nobody wants cost few writes, and are not looked at again.
func TestEndpointsShareOneReading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		defer h.runs()()
		all := h.creates(&portinv1.WebhookEndpoint{})
		few := h.creates(&portinv1.WebhookEndpoint{EventTypes: []portinv1.PortInOrderEventType{portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_FOLLOWED}})
		off := h.creates(&portinv1.WebhookEndpoint{Disabled: new(true)})
		const events = 3 * pageEvents
		h.ledger.tell(slices.Repeat([]ledger.Event{happened("o")}, events)...) // at once, so that the pages are whole
		pass(time.Second)
		followed := happened("o")
		followed.Type = ledger.EventFollowed
		h.ledger.tell(followed)
		pass(time.Minute)
		if diff := cmp.Diff(map[string]int{all: events + 1, few: 1, off: events + 1}, h.ledger.kept()); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
		if _, moves := h.ledger.writes(); moves > 9 {
			t.Errorf("cursors were moved %d times", moves)
		}
		if n := h.counter.now().behind; n != 0 {
			t.Errorf("%d events behind", n)
		}
	})
}

// What an endpoint was looked at for is not looked at again, whatever became of its filter or of other endpoints.
func TestNothingIsLookedAtTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		defer h.runs()()
		picky := h.creates(&portinv1.WebhookEndpoint{EventTypes: []portinv1.PortInOrderEventType{portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_FOLLOWED}})
		behind := h.creates(&portinv1.WebhookEndpoint{Url: new("https://behind.example/?" + planted)})
		h.ledger.tell(happened("o"), happened("o"))
		pass(time.Second)
		stop := h.ledger.breaks("Enqueue")
		h.updates(picky, &portinv1.WebhookEndpoint{}, "event_types")
		h.ledger.tell(happened("o"))
		pass(time.Second)
		stop()
		pass(time.Minute)
		got := h.ledger.kept()
		if diff := cmp.Diff(map[string]int{picky: 1, behind: 3}, got); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
		// One is set back, as by a replica that read it long ago; the other hears nothing again.
		h.ledger.mu.Lock()
		e := h.ledger.endpoints[behind]
		e.Cursor = 0
		h.ledger.endpoints[behind] = e
		h.ledger.mu.Unlock()
		h.ledger.tell(happened("o"))
		h.receiver.got()
		again := New(Params{Ledger: h.ledger, Render: rendered, Log: h.log})
		again.client = h.client
		if err := again.spread(t.Context(), map[string]int64{}); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		for _, m := range h.receiver.got() {
			if m.host == "receiver.example" && m.Data.Sequence != "4" {
				t.Errorf("event %s came again", m.Data.Sequence)
			}
		}
	})
}

// An endpoint that nothing was for is far behind in the ledger. Once it wants more, a process that goes on from there does not tell
// it of what happened before; what it wanted before that still comes.
func TestANewFilterIsOfWhatComes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before := newHouse(t)
		stop := before.runs()
		followed := []portinv1.PortInOrderEventType{portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_FOLLOWED}
		picky := before.creates(&portinv1.WebhookEndpoint{EventTypes: followed})
		before.ledger.tell(slices.Repeat([]ledger.Event{happened("o")}, pageEvents+3)...)
		pass(time.Minute)
		wanted := happened("o")
		wanted.Type = ledger.EventFollowed
		stop()
		before.ledger.tell(wanted, happened("o"))
		before.updates(picky, &portinv1.WebhookEndpoint{}, "event_types")
		before.ledger.tell(happened("o"))

		after := newHouse(t, func(p *Params) { p.Ledger = before.ledger })
		defer after.runs()()
		pass(time.Minute)
		want := []string{itoa(pageEvents + 4), itoa(pageEvents + 6)}
		if diff := cmp.Diff(want, sequences(after.receiver.got())); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// Somebody else may move an endpoint on at the same time, and be done by then. What has happened since is still held against the
// filters that were there.
func TestANewFilterIsOfWhatComesAlsoBesideOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		picky := h.creates(&portinv1.WebhookEndpoint{EventTypes: []portinv1.PortInOrderEventType{portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_FOLLOWED}})
		wanted := happened("o")
		wanted.Type = ledger.EventFollowed
		h.ledger.tell(happened("o"), happened("o"), wanted)
		var once sync.Once
		h.ledger.fail = func(call string) error {
			if call == "Enqueue" {
				once.Do(func() {
					e := h.ledger.endpoints[picky]
					e.Cursor = 1
					h.ledger.endpoints[picky] = e
				})
			}
			return nil
		}
		h.updates(picky, &portinv1.WebhookEndpoint{}, "event_types")
		h.ledger.tell(happened("o"))
		defer h.runs()()
		pass(time.Minute)
		if diff := cmp.Diff([]string{"3", "4"}, sequences(h.receiver.got())); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}
