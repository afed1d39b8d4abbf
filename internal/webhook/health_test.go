package webhook

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

func TestGoneDisablesAtOnceAndEnablingGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.lookEvery, h.takeEvery = time.Minute, time.Minute // for days to pass quickly
		defer h.runs()()
		id := h.creates(&portinv1.WebhookEndpoint{})
		h.receiver.always(http.StatusGone)
		h.ledger.tell(happened("o-1"))
		pass(time.Second)
		e := h.reads(id)
		if !e.GetDisabled() || e.GetDisabledReason() != "it answered 410 Gone" || h.counter.now().disabled != 1 || !e.GetUpdateTime().AsTime().Equal(time.Now().Add(-time.Second)) {
			t.Errorf("the endpoint is %v, %d were disabled", e, h.counter.now().disabled)
		}
		h.receiver.answers(nil)
		h.receiver.got()
		h.ledger.tell(happened("o-2"), happened("o-1"))
		pass(4 * 24 * time.Hour)
		if got := h.receiver.got(); len(got) != 0 {
			t.Errorf("%d messages to a disabled endpoint", len(got))
		}
		if n := h.reads(id).GetPendingCount(); n != 3 {
			t.Errorf("%d deliveries wait, want 3", n)
		}
		h.updates(id, &portinv1.WebhookEndpoint{}, "disabled")
		pass(time.Second)
		if diff := cmp.Diff([]string{"1", "2", "3"}, sorted(sequences(h.receiver.got()))); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if e := h.reads(id); e.GetDisabled() || e.GetDisabledReason() != "" || e.GetPendingCount() != 0 || e.FailingSinceTime != nil {
			t.Errorf("the endpoint is %v", e)
		}
	})
}

// A 410 of the URL that the endpoint had says nothing about the one that it has.
func TestGoneUnderAnotherURL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		defer h.runs()()
		id := h.creates(&portinv1.WebhookEndpoint{})
		h.receiver.answers(func(context.Context, message) (*http.Response, error) {
			<-time.After(2 * time.Second)
			return status(http.StatusGone), nil
		})
		h.ledger.tell(happened("o-1"))
		pass(time.Second)
		h.receiver.answers(nil)
		h.updates(id, &portinv1.WebhookEndpoint{Url: new("https://other.example/?" + planted)})
		pass(10 * time.Second)
		if e := h.reads(id); e.GetDisabled() || e.GetPendingCount() != 0 {
			t.Errorf("the endpoint is %v", e)
		}
		if got := h.receiver.got(); got[len(got)-1].host != "other.example" {
			t.Errorf("the last message went to %s", got[len(got)-1].host)
		}
	})
}

func TestAnEndpointThatTakesNothingIsDisabledAfterFiveDays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.lookEvery, h.takeEvery = time.Minute, time.Minute // for days to pass quickly
		defer h.runs()()
		id := h.creates(&portinv1.WebhookEndpoint{})
		h.receiver.always(http.StatusBadGateway)
		began := time.Now()
		for range 4 {
			h.ledger.tell(happened("o-1"))
			pass(29 * time.Hour)
		}
		if e := h.reads(id); e.GetDisabled() || !e.GetFailingSinceTime().AsTime().Equal(began) || e.SuccessTime != nil {
			t.Errorf("after less than five days the endpoint is %v", e)
		}
		pass(8 * time.Hour)
		e := h.reads(id)
		if !e.GetDisabled() || e.GetDisabledReason() != "it took nothing for five days although it was tried" {
			t.Errorf("after five days the endpoint is %v", e)
		}
		// Enabled again it has five days more.
		h.updates(id, &portinv1.WebhookEndpoint{}, "disabled")
		pass(24 * time.Hour)
		if e := h.reads(id); e.GetDisabled() || !e.GetFailingSinceTime().AsTime().Equal(began) {
			t.Errorf("a day after it was enabled the endpoint is %v", e)
		}
	})
}

// An endpoint that was merely quiet after an event was given up has five days from the next failure on.
func TestAFailureAfterALullIsTheFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.lookEvery, h.takeEvery = time.Minute, time.Minute // for days to pass quickly
		defer h.runs()()
		id := h.creates(&portinv1.WebhookEndpoint{})
		h.receiver.always(http.StatusBadRequest)
		h.ledger.tell(happened("o-1"))
		pass(73 * time.Hour)
		if state := h.lists(id)[0].GetState(); state != portinv1.WebhookDeliveryState_WEBHOOK_DELIVERY_STATE_GIVEN_UP {
			t.Fatalf("the first event is %s", state)
		}
		pass(60 * time.Hour)
		again := time.Now()
		h.ledger.tell(happened("o-2"))
		pass(time.Second)
		if e := h.reads(id); e.GetDisabled() || !e.GetFailingSinceTime().AsTime().Equal(again) {
			t.Errorf("after one more failure the endpoint is %v", e)
		}
		// Five days of tries later it is disabled all the same.
		pass(70 * time.Hour)
		h.ledger.tell(happened("o-3"))
		pass(49 * time.Hour)
		if e := h.reads(id); e.GetDisabled() || !e.GetFailingSinceTime().AsTime().Equal(again) {
			t.Errorf("after less than five days of tries the endpoint is %v", e)
		}
		pass(5 * time.Hour)
		if e := h.reads(id); !e.GetDisabled() {
			t.Errorf("after five days of tries the endpoint is %v", e)
		}
	})
}

// Whatever an endpoint asks for, it is not tried more often than one that asks for nothing.
func TestRetryAfterOnlyLengthensThePause(t *testing.T) {
	t.Parallel()
	tries := map[string]int{}
	for _, header := range []string{"", "1", "60", "3600"} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			defer h.runs()()
			h.creates(&portinv1.WebhookEndpoint{})
			h.receiver.answers(func(context.Context, message) (*http.Response, error) {
				resp := status(http.StatusServiceUnavailable)
				if header != "" {
					resp.Header.Set("Retry-After", header)
				}
				return resp, nil
			})
			h.ledger.tell(happened("o-1"))
			pass(23 * time.Hour) // no try is due near its end
			tries[header] = len(h.receiver.got())
		})
	}
	// Seven tries within two hours and then one in three hours; with an hour at least between two there is room for fewer.
	if diff := cmp.Diff(map[string]int{"": 14, "1": 14, "60": 14, "3600": 12}, tries); diff != "" {
		t.Errorf("tries in 23 hours (-want +got):\n%s", diff)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, header string
		code         int
		want         time.Duration
	}{
		{"seconds", "90", 429, 90 * time.Second},
		{"a date", "Sat, 01 Jan 2000 00:03:01 GMT", 503, 3 * time.Minute},
		{"absurd", "99999999999999999999", 429, time.Hour},
		{"a year", "31536000", 503, time.Hour},
		{"at once", "1", 429, 5 * time.Second},
		{"past", "Sat, 01 Jan 1999 00:03:00 GMT", 429, 5 * time.Second},
		{"negative", "-5", 429, 5 * time.Second},
		{"nonsense", "soon", 429, 5 * time.Second},
		{"another answer", "90", 500, 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				defer h.runs()()
				id := h.creates(&portinv1.WebhookEndpoint{})
				h.receiver.answers(func(context.Context, message) (*http.Response, error) {
					resp := status(c.code)
					resp.Header.Set("Retry-After", c.header)
					return resp, nil
				})
				h.ledger.tell(happened("o-1"))
				pass(time.Second)
				d := h.lists(id)[0]
				if got := d.GetNextAttemptTime().AsTime().Sub(d.GetAttemptTime().AsTime()); got != c.want {
					t.Errorf("the next try is after %s, want %s", got, c.want)
				}
			})
		})
	}
}

// An endpoint that was down and is enabled again, or is somewhere else now, is not kept waiting for its failures before.
func TestEnablingForgivesFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		defer h.runs()()
		id := h.creates(&portinv1.WebhookEndpoint{})
		h.receiver.always(http.StatusInternalServerError)
		for i := range 20 {
			h.ledger.tell(happened("o-" + itoa(i)))
		}
		pass(5 * time.Minute)
		h.receiver.got()
		h.receiver.answers(nil)
		h.updates(id, &portinv1.WebhookEndpoint{Url: new("https://other.example/?" + planted)})
		pass(time.Second)
		if n := len(h.receiver.got()); n != 20 {
			t.Errorf("%d messages, want 20", n)
		}
	})
}

// An endpoint that is down is not tried for each order that waits for it, and hears everything when it is back.
func TestAnEndpointThatIsDownIsTriedOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		defer h.runs()()
		h.creates(&portinv1.WebhookEndpoint{})
		h.receiver.always(http.StatusInternalServerError)
		for i := range 500 {
			h.ledger.tell(happened("o-" + itoa(i)))
		}
		pass(10 * time.Minute)
		if n := len(h.receiver.got()); n < 10 || n > 40 {
			t.Errorf("%d tries in ten minutes", n)
		}
		h.receiver.answers(nil)
		pass(15 * time.Minute)
		heard := map[string]bool{}
		for _, m := range h.receiver.got() {
			heard[m.Data.Sequence] = true
		}
		if len(heard) != 500 {
			t.Errorf("%d events were heard of, want 500", len(heard))
		}
	})
}

// The endpoint is written when it turns bad or good and once a minute, not for every delivery.
func TestHealthCostsFewWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		defer h.runs()()
		id := h.creates(&portinv1.WebhookEndpoint{})
		for i := range 600 {
			h.ledger.tell(happened("o-" + itoa(i)))
			pass(100 * time.Millisecond)
		}
		before, _ := h.ledger.writes()
		if before > 3 {
			t.Errorf("%d writes for 600 deliveries in a minute", before)
		}
		// Every other event is refused.
		h.receiver.answers(func(_ context.Context, m message) (*http.Response, error) {
			if m.Data.Sequence[len(m.Data.Sequence)-1]%2 == 0 {
				return status(http.StatusInternalServerError), nil
			}
			return status(http.StatusOK), nil
		})
		for i := range 300 {
			h.ledger.tell(happened("p-" + itoa(i)))
			pass(100 * time.Millisecond)
		}
		if after, _ := h.ledger.writes(); after-before > 10 {
			t.Errorf("%d writes for 300 deliveries of which every other one failed", after-before)
		}
		h.receiver.answers(nil)
		pass(time.Minute)
		if e := h.reads(id); e.FailingSinceTime != nil {
			t.Errorf("the endpoint is %v", e)
		}
	})
}

// A caller changes the endpoint while deliveries write down how it fares; nothing of either is lost.
func TestHealthAndUpdatesDoNotFight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		defer h.runs()()
		id := h.creates(&portinv1.WebhookEndpoint{})
		h.receiver.answers(func(context.Context, message) (*http.Response, error) {
			<-time.After(time.Second)
			return status(http.StatusInternalServerError), nil
		})
		h.ledger.tell(happened("o-1"))
		pass(time.Second / 2)
		h.updates(id, &portinv1.WebhookEndpoint{Description: new("changed meanwhile")})
		pass(time.Second)
		if e := h.reads(id); e.GetDescription() != "changed meanwhile" || e.FailingSinceTime == nil {
			t.Errorf("the endpoint is %v", e)
		}
	})
}

func TestFault34_ClockThatJumps(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				jumped := make(chan struct{})
				h := newHouse(t, func(p *Params) {
					p.Now = func() time.Time {
						select {
						case <-jumped:
							return time.Now().Add(jump)
						default:
							return time.Now()
						}
					}
				})
				defer h.runs()()
				id := h.creates(&portinv1.WebhookEndpoint{})
				h.receiver.always(http.StatusInternalServerError)
				for i := range 20 {
					h.ledger.tell(happened("o-" + itoa(i)))
				}
				pass(2 * time.Minute)
				h.receiver.got()
				close(jumped)
				pass(2 * time.Minute)
				if n := len(h.receiver.got()); n > 40 {
					t.Errorf("a storm of %d tries", n)
				}
				h.receiver.answers(nil)
				h.ledger.tell(happened("new"))
				pass(time.Minute)
				if got := h.receiver.got(); !slices.ContainsFunc(got, func(m message) bool { return m.Data.OrderID == "new" }) {
					t.Errorf("a new event is not among %d messages", len(got))
				}
				pass(2 * time.Hour)
				if e := h.reads(id); e.GetPendingCount() != 0 || e.GetDisabled() {
					t.Errorf("the endpoint is %v", e)
				}
			})
		})
	}
}
