package tracker_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
	"github.com/portin/portin/internal/tracker"
)

var (
	errSilent = fault.New(fault.ReasonCarrierUnreachable, "the carrier does not answer")
	numbers   = []int64{firstDigits, firstDigits + 1}
)

// wantDue wants an order to be asked about again after an interval, that is longer by up to a fifth, from a moment of the
// latest two rounds on.
func wantDue(t *testing.T, r ledger.Record, interval time.Duration) {
	t.Helper()
	if due := r.Due.Sub(r.Checked); due < interval || due > interval+interval/5 {
		t.Errorf("%s is due %v after it was checked, want %v to a fifth more", r.OrderID, due, interval)
	}
}

// seldom has the ledger be asked every ten minutes, for tests of many days.
func seldom(p *tracker.Params) { p.Pace.Every = 10 * time.Minute }

func TestAChangeIsWrittenOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		l.says(carrier.Status{Ticket: "T-1", Word: "PENDING", Numbers: numbers})
		s := opened(t, newShelf(accepted(1, "T-1")), l, seldom)
		pass(13 * time.Minute)
		wantDue(t, s.order(1), pollEvery)
		event := func(t ledger.EventType, status order.Status, day string, was, is order.Category) ledger.Event {
			standing := func(c order.Category) ledger.Standing { return ledger.Standing(int(order.Accepted)*10 + int(c)) }
			e := ledger.Event{
				OrderID: orderID(1), Tenant: ledger.Default, Actor: ledger.Actor{Kind: ledger.ByCarrier}, Type: t, Attempt: 1,
				State: order.Accepted, Status: status, Ticket: "T-1", PortDate: day, Was: standing(was), Is: standing(is),
			}
			if is == order.CategoryAttention {
				e.Attention = []ledger.AttentionCode{ledger.AttentionCarrierStatus}
			}
			return e
		}
		check := func(want ...ledger.Event) {
			t.Helper()
			if diff := cmp.Diff(want, s.told(), cmpopts.IgnoreFields(ledger.Event{}, "Time"), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		}
		const noDay, day, other = "", "2000-01-20", "2000-01-21"
		open, scheduled, attention, closed := order.CategoryOpen, order.CategoryScheduled, order.CategoryAttention, order.CategoryClosed
		check(event(ledger.EventStatusChanged, "PENDING", noDay, open, open))

		pass(4 * time.Hour) // nothing new
		check()

		l.says(carrier.Status{Ticket: "T-1", Word: "CONFIRMED", PortDate: "20000120", Numbers: numbers})
		pass(4 * time.Hour)
		check(event(ledger.EventStatusChanged, "CONFIRMED", day, open, scheduled), event(ledger.EventDateChanged, "CONFIRMED", day, open, scheduled))
		wantDue(t, s.order(1), 4*pollEvery)

		l.says(carrier.Status{Ticket: "T-1", Word: "CONFIRMED", PortDate: "20000121", Numbers: numbers})
		pass(4 * time.Hour)
		check(event(ledger.EventDateChanged, "CONFIRMED", other, scheduled, scheduled))

		l.says(carrier.Status{Ticket: "T-1", Word: "REJECTED", PortDate: "20000121", Rejects: []carrier.Reject{{Code: "1A"}}})
		pass(4 * time.Hour)
		rejected := event(ledger.EventAttentionChanged, "REJECTED", other, scheduled, attention)
		rejected.Note = "CARRIER_STATUS: the losing carrier rejected the order; see its rejects, correct it and resubmit it, then ask the carrier's porting team to drop this one"
		check(event(ledger.EventStatusChanged, "REJECTED", other, scheduled, attention),
			event(ledger.EventRejectsChanged, "REJECTED", other, scheduled, attention), rejected)
		wantDue(t, s.order(1), 4*pollEvery)

		l.says(carrier.Status{Ticket: "T-1", Word: "COMPLETED", PortDate: "20000121"})
		pass(4 * time.Hour)
		done := event(ledger.EventAttentionChanged, "COMPLETED", other, attention, closed)
		done.Note = "the order no longer needs attention"
		check(event(ledger.EventStatusChanged, "COMPLETED", other, attention, closed), done)
		if r := s.order(1); !r.Due.IsZero() {
			t.Errorf("an order that is over is due at %v", r.Due)
		}
		s.asked()
		pass(10 * 24 * time.Hour)
		check()
		if by := s.asked(); len(by) > 0 {
			t.Errorf("an order that is over was asked about %d times", len(by))
		}
		if n := strings.Count(s.log.String(), "\n"); n != 4 {
			t.Errorf("the log has %d lines, want one for each change of the status:\n%s", n, s.log)
		}
	})
}

func TestOrdersAreAskedAboutAtTheirPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		l.says(carrier.Status{Ticket: "T-1", Word: "SUBMITTED"})
		s := opened(t, newShelf(accepted(1, "T-1")), l)
		pass(24 * time.Hour)
		s.stop()
		// Every 30 to 36 minutes, and up to 6 seconds until the next round.
		if n := len(l.asks); n < 39 || n > 49 {
			t.Errorf("asked %d times a day", n)
		}
		seen := map[time.Duration]bool{}
		for i := 1; i < len(l.asks); i++ {
			gap := l.asks[i].Sub(l.asks[i-1])
			if gap < pollEvery || gap > pollEvery*6/5+6*time.Second {
				t.Errorf("asked again after %v", gap)
			}
			seen[gap.Truncate(time.Minute)] = true
		}
		if len(seen) < 3 {
			t.Errorf("the intervals are all like %v", seen)
		}
	})
}

// Row 34: a wall clock that jumps has nothing asked about early, late, or all at once, and nobody called.
func TestFault34_AWallClockThatJumps(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newLine()
				l.says(carrier.Status{Ticket: "T-1", Word: "SUBMITTED"})
				begun := time.Now()
				s := opened(t, newShelf(accepted(1, "T-1")), l, func(p *tracker.Params) {
					p.Now = func() time.Time {
						now := time.Now()
						if since := now.Sub(begun); since > 6*time.Hour && since < 12*time.Hour {
							return now.Add(jump) // and back
						}
						return now
					}
				})
				pass(18 * time.Hour)
				s.stop()
				if n := len(l.asks); n < 29 || n > 37 {
					t.Errorf("asked %d times in 18 hours", n)
				}
				for i := 1; i < len(l.asks); i++ {
					if gap := l.asks[i].Sub(l.asks[i-1]); gap < pollEvery || gap > pollEvery*6/5+6*time.Second {
						t.Errorf("asked again after %v", gap)
					}
				}
				if r := s.order(1); len(r.Attention) > 0 {
					t.Errorf("the order needs attention: %v", r.Attention)
				}
			})
		})
	}
}

func TestWhoWasOvertakenWritesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, b := newLine(), newShelf(accepted(1, "T-1"))
		l.says(carrier.Status{Ticket: "T-1", Word: "PENDING"})
		l.onAsk = func() {
			b.set(func() { // somebody else takes it meanwhile, and has not come back yet
				r := b.orders[orderID(1)]
				r.Fence, r.Due = r.Fence+1, time.Now().Add(time.Hour)
				b.orders[orderID(1)] = r
			})
		}
		s := opened(t, b, l)
		pass(30 * time.Minute)
		if r := s.order(1); r.Status != "" || s.advanced != 0 || len(s.told()) > 0 || s.log.String() != "" {
			t.Errorf("it is written that the status is %q, %d times; the log is %q", r.Status, s.advanced, s.log)
		}
	})
}

// While the carrier is asked, somebody else notes what it says: one who wants a number of the order, or corrects it. Which of the
// two answers is the later one nobody knows, and an order that is over must not be opened again by the earlier one.
func TestAnAnswerThatWasOvertakenIsNotKept(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *ledger.Record){
		"it is over": func(r *ledger.Record) {
			portstatus.Observe(r, carrier.Status{Ticket: "T-1", Word: "CANCELLED"}, time.Now())
		},
		"it has another ticket":     func(r *ledger.Record) { r.Ticket = "T-2" },
		"an operator has closed it": func(r *ledger.Record) { r.Closed, r.Due = time.Now(), time.Time{} },
	} {
		synctest.Test(t, func(t *testing.T) {
			l, b := newLine(), newShelf(accepted(1, "T-1"))
			l.says(carrier.Status{Ticket: "T-1", Word: "PENDING"})
			l.onAsk = func() {
				if _, err := b.Advance(t.Context(), orderID(1), ledger.Step{Now: time.Now(), Change: func(r *ledger.Record) (ledger.Entry, error) {
					change(r)
					return ledger.Entry{}, nil
				}}); err != nil {
					t.Error(err)
				}
			}
			s := opened(t, b, l)
			pass(time.Minute)
			want := accepted(1, "T-1")
			change(&want)
			if got := s.order(1); got.Status != want.Status || got.Ticket != want.Ticket || got.Due.IsZero() != want.Due.IsZero() {
				t.Errorf("%s: the status is %q, the ticket %q, and it is due %v", name, got.Status, got.Ticket, got.Due)
			}
		})
	}
}

// Who was overtaken asks again at the order's pace, and not when the turn would have been over: that can be a long time for an order that
// is asked about often.
func TestWhoWasOvertakenAsksAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, b := newLine(), newShelf(accepted(1, "T-1"))
		l.says(carrier.Status{Ticket: "T-1", Word: "PENDING"})
		l.onAsk = func() {
			if _, err := b.Advance(t.Context(), orderID(1), ledger.Step{Now: time.Now(), Change: func(r *ledger.Record) (ledger.Entry, error) {
				portstatus.Observe(r, carrier.Status{Ticket: "T-1", Word: "SUBMITTED"}, time.Now())
				return ledger.Entry{}, nil
			}}); err != nil {
				t.Error(err)
			}
			l.onAsk = nil
		}
		s := opened(t, b, l)
		pass(time.Minute)
		asked := l.asks[len(l.asks)-1]
		if r, again := s.order(1), b.orders[orderID(1)].Due.Sub(asked); r.Status != order.StatusSubmitted || again < pollEvery || again > pollEvery*6/5 {
			t.Errorf("the status is %q, and it is asked about again after %v", r.Status, again)
		}
		if s.log.String() != "" {
			t.Errorf("the log says: %s", s.log)
		}
	})
}

func TestAnOrderWithoutATicket(t *testing.T) {
	t.Parallel()
	own := carrier.Status{Ticket: "T-9", Word: "SUBMITTED", Numbers: numbers}
	foreign := carrier.Status{Ticket: "T-9", Word: "SUBMITTED", Numbers: []int64{firstDigits}}
	for name, c := range map[string]struct {
		status carrier.Status
		change func(s *shelf, r *ledger.Record)
		want   string
	}{
		"alone": {own, func(*shelf, *ledger.Record) {}, "T-9"},
		"another order had the number": {own, func(s *shelf, _ *ledger.Record) {
			other := accepted(2, "T-2", firstNumber)
			other.Status, other.Due = order.StatusCancelled, time.Time{}
			s.orders[orderID(2)] = other
		}, ""},
		"another tenant's order had the number": {own, func(s *shelf, _ *ledger.Record) {
			other := accepted(2, "T-2", firstNumber)
			other.Tenant, other.Due = "other", time.Time{}
			s.orders[orderID(2)] = other
		}, ""},
		"another order has the ticket": {own, func(s *shelf, _ *ledger.Record) {
			other := accepted(2, "T-9", "+14165550199")
			other.Due = time.Time{}
			s.orders[orderID(2)] = other
		}, ""},
		"the ledger does not say":  {own, func(s *shelf, _ *ledger.Record) { s.failNumbers = true }, ""},
		"a look saw a ticket":      {own, func(_ *shelf, r *ledger.Record) { r.Looks = []string{"T-0"} }, ""},
		"a look failed":            {own, func(_ *shelf, r *ledger.Record) { r.LookFailed = true }, ""},
		"the numbers are a part":   {foreign, func(*shelf, *ledger.Record) {}, ""},
		"nothing stands there yet": {carrier.Status{}, func(*shelf, *ledger.Record) {}, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			l, r := newLine(), accepted(1, "")
			r.Attend(ledger.AttentionNoTicket, "none", time.Now())
			b := newShelf()
			c.change(b, &r)
			b.orders[r.OrderID] = r
			if c.status.Word != "" {
				l.number[firstDigits] = c.status
			}
			s := opened(t, b, l)
			pass(30 * time.Second)
			got := s.order(1)
			word := order.Status("")
			if c.want != "" {
				word = "SUBMITTED"
			}
			if got.Ticket != c.want || got.Status != word || got.Attends(ledger.AttentionNoTicket) != (c.want == "") || got.Due.IsZero() {
				t.Errorf("%s: ticket %q, status %q, attention %v, due %v", name, got.Ticket, got.Status, got.Attention, got.Due)
			}
			if s.advanced != 1 || strings.Contains(s.log.String(), "ERROR") {
				t.Errorf("%s: written %d times, the log is %q", name, s.advanced, s.log)
			}
			if by := s.asked(); !slices.Equal(by, []string{"4165550123"}) {
				t.Errorf("%s: asked by %v", name, by)
			}
			types := []ledger.EventType(nil)
			if c.want != "" {
				types = []ledger.EventType{ledger.EventStatusChanged, ledger.EventAttentionChanged}
			}
			if diff := cmp.Diff(types, s.types()); diff != "" {
				t.Errorf("%s: events (-want +got):\n%s", name, diff)
			}
			// From now on it is asked for by its ticket.
			l.set(func() { l.ticket["T-9"] = carrier.Status{Ticket: "T-9", Word: "COMPLETED"} })
			pass(2 * time.Hour)
			if got := s.order(1).Status; (got == order.StatusCompleted) != (c.want != "") {
				t.Errorf("%s: the status is %q in the end", name, got)
			}
		})
	}
}

// The ticket of the answer to an order may be another one than that of its status, or not be visible yet.
func TestATicketThatTheCarrierDoesNotKnow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		l.number[firstDigits] = carrier.Status{Ticket: "T-9", Word: "SUBMITTED", Numbers: numbers}
		s := opened(t, newShelf(accepted(1, "MASK-1")), l)
		pass(59 * time.Minute)
		if r := s.order(1); r.Ticket != "MASK-1" || r.Status != "" || len(s.told()) > 0 || len(s.asked()) < 4 {
			t.Errorf("within an hour the ticket is %q, the status %q", r.Ticket, r.Status)
		}
		pass(40 * time.Minute)
		if r := s.order(1); r.Ticket != "T-9" || r.Status != order.StatusSubmitted {
			t.Errorf("later the ticket is %q, the status %q", r.Ticket, r.Status)
		}
		if diff := cmp.Diff([]ledger.EventType{ledger.EventStatusChanged}, s.types()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
	// It becomes visible, and stays.
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		l.number[firstDigits] = carrier.Status{Ticket: "T-9", Word: "SUBMITTED", Numbers: numbers}
		s := opened(t, newShelf(accepted(1, "T-1")), l)
		pass(30 * time.Minute)
		l.says(carrier.Status{Ticket: "T-1", Word: "CONFIRMED", Numbers: numbers})
		pass(3 * time.Hour)
		if r := s.order(1); r.Ticket != "T-1" || r.Status != order.StatusConfirmed {
			t.Errorf("the ticket is %q, the status %q", r.Ticket, r.Status)
		}
	})
}

func TestATicketOfOtherNumbersSaysNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		l.says(carrier.Status{Ticket: "T-1", Word: "COMPLETED", Numbers: []int64{firstDigits + 5}})
		s := opened(t, newShelf(accepted(1, "T-1")), l)
		pass(3 * time.Hour)
		if r := s.order(1); r.Status != "" || len(s.told()) > 0 || r.Due.IsZero() || !r.Checked.IsZero() {
			t.Errorf("the status is %q, due %v, checked %v", r.Status, r.Due, r.Checked)
		}
	})
}

func TestTwoTrackersShareTheOrders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, b := newLine(), newShelf()
		for n := range 20 {
			r := accepted(n, "T-"+orderID(n), "+141655502"+string(rune('0'+n/10))+string(rune('0'+n%10)))
			b.orders[r.OrderID] = r
			l.says(carrier.Status{Ticket: r.Ticket, Word: "SUBMITTED"})
		}
		one, two := opened(t, b, l), opened(t, b, l)
		pass(12 * time.Hour)
		one.stop()
		two.stop()
		asks := map[string][]time.Time{}
		for i, by := range l.by {
			asks[by] = append(asks[by], l.asks[i])
		}
		if len(asks) != 20 {
			t.Errorf("%d orders were asked about", len(asks))
		}
		for by, at := range asks {
			for i := 1; i < len(at); i++ {
				if gap := at[i].Sub(at[i-1]); gap < pollEvery {
					t.Errorf("%s was asked about again after %v", by, gap)
				}
			}
			if len(at) < 19 {
				t.Errorf("%s was asked about %d times in twelve hours", by, len(at))
			}
		}
		if n := len(b.told()); n != 20 {
			t.Errorf("%d events for 20 changes", n)
		}
	})
}

func TestTheLogTellsOfNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		s := opened(t, newShelf(accepted(1, "T-1")), l)
		for i, word := range append(order.Statuses(), "TELEPORTED") {
			disputing := i%2 == 0
			l.says(carrier.Status{
				Ticket: "T-1", Word: string(word), Disputing: &disputing, Numbers: numbers, PortDate: "20000120", EndUserName: "Wong Mary",
				AccountNumber: "Wong Mary", Reseller: "Wong Mary", RejectReason: "Wong Mary", RejectSummary: "Wong Mary",
				Rejects: []carrier.Reject{{Remarks: "Wong Mary", Ported: "416-555-0123"}},
			})
			s.alter(func(r *ledger.Record) { r.Due = time.Now() })
			pass(10 * time.Second)
		}
		l.set(func() { l.fail = errors.New("Wong Mary") })
		s.alter(func(r *ledger.Record) { r.Due = time.Now() })
		pass(30 * time.Second)
		log := s.log.String()
		for _, word := range []string{"Wong", "Mary", "416555", "416-555"} {
			if strings.Contains(log, word) {
				t.Errorf("the log has %q:\n%s", word, log)
			}
		}
		if n := strings.Count(log, "an order's status has changed"); n != len(order.Statuses())+1 {
			t.Errorf("the log tells of %d changes:\n%s", n, log)
		}
		for _, e := range s.told() {
			if strings.Contains(e.Note, "Wong") || strings.Contains(e.Note, "555") {
				t.Errorf("an event says %q", e.Note)
			}
		}
	})
}
