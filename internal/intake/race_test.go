package intake_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
)

func unreachable() carrier.Outcome {
	return carrier.Outcome{Settlement: carrier.NotSent, Fault: fault.New(fault.ReasonCarrierUnreachable, "nothing was sent")}
}

// upTo waits for a random time, in a bubble.
func upTo(longest time.Duration) {
	<-time.After(rand.N(longest))
}

// TestCallersOfOneKeyRace has thirty callers send, leave and send again while the carrier fails at random. Time is that
// of a bubble, so chance decides which of them goes first.
func TestCallersOfOneKeyRace(t *testing.T) {
	t.Parallel()
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var taken, flying int
			d := newDesk(t, withSubmit(func(context.Context, carrier.Call) carrier.Outcome {
				mu.Lock()
				flying++
				if flying > 1 {
					t.Error("two POSTs of one order at once")
				}
				mu.Unlock()
				upTo(3 * time.Second)
				mu.Lock()
				defer mu.Unlock()
				flying--
				if rand.IntN(3) > 0 {
					return unreachable()
				}
				taken++
				return accepted(1)
			}))
			d.carrier.byNumber = func(context.Context, int64) (carrier.Status, error) {
				upTo(3 * time.Second)
				return carrier.Status{}, errNone
			}
			var wg sync.WaitGroup
			for i := range 30 {
				wg.Go(func() {
					ctx, leave := context.WithCancel(t.Context())
					defer leave()
					if i%3 == 0 {
						ctx, leave = context.WithTimeout(ctx, 5*time.Second+rand.N(8*time.Second))
						defer leave()
					}
					req := request(t, keyA)
					if i%5 == 0 {
						req = request(t, keyA, "416-555-0124", "416-555-0123") // other content: another order of the numbers
					}
					upTo(5 * time.Second)
					_, err := d.PortIn(ctx, req)
					if expected := []fault.Reason{
						"", fault.ReasonCarrierUnreachable, fault.ReasonRequestIDReused, fault.ReasonDeadlineExceeded, fault.ReasonDeadlineTooShort,
					}; !slices.Contains(expected, reasonOf(err)) {
						t.Errorf("a caller was answered %v", err)
					}
				})
			}
			wg.Wait()
			drained(t, d)
			if taken > 1 {
				t.Errorf("the carrier took the order %d times", taken)
			}
		})
	}
}

// TestKeysThatShareNumbersRace has three orders that share numbers pairwise compete.
func TestKeysThatShareNumbersRace(t *testing.T) {
	t.Parallel()
	sets := map[string][]string{
		keyA: {"416-555-0123", "416-555-0124"}, keyB: {"416-555-0124", "416-555-0125"},
		"0193e3a0-0000-4000-8000-00000000000c": {"416-555-0125", "416-555-0123"},
	}
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			tickets, open := 0, map[string]bool{}
			d := newDesk(t, withSubmit(func(context.Context, carrier.Call) carrier.Outcome {
				upTo(2 * time.Second)
				mu.Lock()
				defer mu.Unlock()
				if rand.IntN(2) == 0 {
					return unreachable()
				}
				tickets++
				return carrier.Outcome{Settlement: carrier.Accepted, Reply: carrier.ReplyAccepted, Ticket: "X-" + strconv.Itoa(tickets)}
			}))
			var wg sync.WaitGroup
			for range 10 {
				for key, numbers := range sets {
					wg.Go(func() {
						upTo(4 * time.Second)
						resp, err := d.PortIn(t.Context(), request(t, key, numbers...))
						if err == nil && resp.GetOrder().GetState() == portinv1.OrderState_ORDER_STATE_ACCEPTED {
							mu.Lock()
							open[key] = true
							mu.Unlock()
						}
					})
				}
			}
			wg.Wait()
			if len(open) > 1 || tickets != len(open) {
				t.Errorf("%d open orders share numbers; the carrier took %d", len(open), tickets)
			}
		})
	}
}

// TestAResendIsNotGivenAnotherOrdersTicket places B with the numbers of A, which was not sent, and then A again.
func TestAResendIsNotGivenAnotherOrdersTicket(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		b    carrier.Outcome
		seen string
	}{
		"its ticket":        {accepted(1), ticket(1)},
		"under another id":  {accepted(1), "T-status"},
		"in doubt":          {carrier.Outcome{Settlement: carrier.InDoubt}, "T-9"},
		"without a ticket":  {carrier.Outcome{Settlement: carrier.Accepted, Reply: carrier.ReplyDeferred}, "T-9"},
		"nothing is there ": {accepted(1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.carrier.submit = func(context.Context, carrier.Call) carrier.Outcome {
				if posts, _ := d.carrier.count(); posts == 1 {
					return unreachable()
				}
				return c.b
			}
			if _, err := d.PortIn(t.Context(), request(t, keyA)); reasonOf(err) != fault.ReasonCarrierUnreachable {
				t.Fatal(err)
			}
			b, err := d.PortIn(t.Context(), request(t, keyB))
			if err != nil {
				t.Fatal(err)
			}
			d.carrier.byNumber = func(context.Context, int64) (carrier.Status, error) {
				if c.seen == "" {
					return carrier.Status{}, errNone
				}
				return status(c.seen, "PENDING", 4165550123, 4165550124), nil
			}
			_, err = d.PortIn(t.Context(), request(t, keyA))
			if f := fault.From(err); f == nil || f.Reason != fault.ReasonNumberInOpenOrder || f.Metadata["order_id"] != b.GetOrder().GetOrderId() {
				t.Errorf("the re-send answers %v, want NUMBER_IN_OPEN_ORDER of %s", err, b.GetOrder().GetOrderId())
			}
			if posts, _ := d.carrier.count(); posts != 2 {
				t.Errorf("%d POSTs, want 2", posts)
			}
		})
	}
}

// TestNobodyIsToldNotSentWhileTheOrderIsSent has a second re-send arrive while the first one's POST is under way.
func TestNobodyIsToldNotSentWhileTheOrderIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.carrier.submit = func(context.Context, carrier.Call) carrier.Outcome {
			if posts, _ := d.carrier.count(); posts == 1 {
				return unreachable()
			}
			<-time.After(30 * time.Second)
			return accepted(1)
		}
		if _, err := d.PortIn(t.Context(), request(t, keyA)); reasonOf(err) != fault.ReasonCarrierUnreachable {
			t.Fatal(err)
		}
		gate := make(chan struct{})
		d.carrier.byNumber = func(context.Context, int64) (carrier.Status, error) {
			if _, looks := d.carrier.count(); looks == 2 {
				<-gate
			}
			return carrier.Status{}, errNone
		}
		var wg sync.WaitGroup
		wg.Go(func() { // looks slowly, and has less time than the POST takes
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			resp, err := d.PortIn(ctx, request(t, keyA))
			if err != nil || resp.GetOrder().GetState() != portinv1.OrderState_ORDER_STATE_SENDING || !resp.GetReplayed() {
				t.Errorf("the slow caller is answered %v, %v; want SENDING", resp, err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			resp, err := d.PortIn(t.Context(), request(t, keyA))
			if err != nil || resp.GetOrder().GetState() != portinv1.OrderState_ORDER_STATE_ACCEPTED {
				t.Errorf("the quick caller is answered %v, %v", resp, err)
			}
		})
		synctest.Wait()
		close(gate)
		<-time.After(16 * time.Second) // the slow caller has its answer
		if resp, err := d.PortIn(t.Context(), request(t, keyA)); err != nil || resp.GetOrder().GetState() != portinv1.OrderState_ORDER_STATE_ACCEPTED {
			t.Errorf("a caller that can wait is answered %v, %v; want ACCEPTED", resp, err)
		}
		wg.Wait()
		if posts, _ := d.carrier.count(); posts != 2 {
			t.Errorf("%d POSTs, want 2", posts)
		}
	})
}

func TestALookThatHangsDoesNotStopTheOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, func(d *desk, _ *intake.Params) {
			d.carrier.byNumber = func(ctx context.Context, _ int64) (carrier.Status, error) {
				<-ctx.Done()
				<-time.After(10 * time.Millisecond) // as a real look does
				return carrier.Status{}, fault.New(fault.ReasonCarrierUnreadable, "slow").WithCause(ctx.Err())
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
		defer cancel()
		if _, err := d.PortIn(ctx, request(t, keyA)); err != nil {
			t.Error(err)
		}
	})
}

// TestFault21_TheDeadlineIsMeasuredBeforeEveryClaim uses the time up while the holder of a number is asked about.
func TestFault21_TheDeadlineIsMeasuredBeforeEveryClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		if _, err := d.PortIn(t.Context(), request(t, keyA)); err != nil {
			t.Fatal(err)
		}
		d.carrier.byTicket = func(_ context.Context, ticket string) (carrier.Status, error) {
			<-time.After(9 * time.Second)
			return status(ticket, "COMPLETED"), nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := d.PortIn(ctx, request(t, keyB)); reasonOf(err) != fault.ReasonDeadlineTooShort {
			t.Errorf("with a second left at the claim: %v", err)
		}
		if posts, _ := d.carrier.count(); posts != 1 {
			t.Errorf("%d POSTs, want 1", posts)
		}
	})
}

func TestWhoWaitsWhenTheServiceGoesIsAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, withSubmit(func(context.Context, carrier.Call) carrier.Outcome {
			<-time.After(time.Minute)
			return accepted(1)
		}))
		answered := make(chan portinv1.OrderState)
		go func() {
			resp, err := d.PortIn(t.Context(), request(t, keyA))
			if err != nil {
				t.Error(err)
			}
			answered <- resp.GetOrder().GetState()
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := d.Drain(ctx); err == nil {
			t.Error("Drain says that nothing is in flight")
		}
		if state := <-answered; state != portinv1.OrderState_ORDER_STATE_SENDING {
			t.Errorf("the caller is answered %v, want SENDING", state)
		}
		drained(t, d)
	})
}
