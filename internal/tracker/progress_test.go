package tracker_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/tracker"
)

// The clock of a test begins on a Saturday, the first of January 2000, which in the east is still a Friday.
func TestNoProgress(t *testing.T) {
	t.Parallel()
	at := func(day, hour int) time.Time { return time.Date(2000, 1, day, hour, 0, 0, 0, time.UTC) }
	holidays := func(days ...string) func(p *tracker.Params) {
		return func(p *tracker.Params) {
			p.Closed = func(_ context.Context, _ string, day time.Time) bool {
				return slices.Contains(days, day.Format(time.DateOnly))
			}
		}
	}
	for name, c := range map[string]struct {
		status carrier.Status
		change func(p *tracker.Params)
		// last is the latest time without attention, and first the earliest with it; a zero first is never.
		last, first time.Time
	}{
		"three business days":        {carrier.Status{Word: "SUBMITTED"}, holidays(), at(5, 4), at(5, 8)},
		"over a holiday":             {carrier.Status{Word: "SUBMITTED"}, holidays("2000-01-04"), at(6, 4), at(6, 8)},
		"one that is rejected":       {carrier.Status{Word: "REJECTED"}, holidays(), at(5, 4), at(5, 12)},
		"until the day of the port":  {carrier.Status{Word: "CONFIRMED", PortDate: "20000110"}, holidays(), at(13, 4), at(13, 8)},
		"a day that is past already": {carrier.Status{Word: "CONFIRMED", PortDate: "19991201"}, holidays(), at(5, 4), at(5, 8)},
		"a day that is not settled":  {carrier.Status{Word: "SUBMITTED", PortDate: "20000120"}, holidays(), at(5, 4), at(5, 8)},
		"a day that cannot be read":  {carrier.Status{Word: "CONFIRMED", PortDate: "soon"}, holidays(), at(5, 4), at(5, 8)},
		"not counted":                {carrier.Status{Word: "SUBMITTED"}, func(p *tracker.Params) { p.Pace.NoProgressDays = 0 }, at(20, 0), time.Time{}},
		"over":                       {carrier.Status{Word: "COMPLETED"}, holidays(), at(20, 0), time.Time{}},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLine()
			c.status.Ticket = "T-1"
			l.says(c.status)
			s := opened(t, newShelf(accepted(1, "T-1")), l, seldom, c.change)
			pass(time.Until(c.last))
			if r := s.order(1); r.Attends(ledger.AttentionNoProgress) {
				t.Errorf("%s: it needs attention at %v", name, c.last)
			}
			if c.first.IsZero() {
				return
			}
			s.told()
			pass(time.Until(c.first))
			r := s.order(1)
			if !r.Attends(ledger.AttentionNoProgress) {
				t.Fatalf("%s: it needs no attention at %v", name, c.first)
			}
			if want := "the carrier has said nothing new for 3 business days; ask its porting team"; r.Attention[len(r.Attention)-1].Description != want {
				t.Errorf("%s: it says %q", name, r.Attention)
			}
			pass(48 * time.Hour)
			if diff := cmp.Diff([]ledger.EventType{ledger.EventAttentionChanged}, s.types()); diff != "" {
				t.Errorf("%s: events (-want +got):\n%s", name, diff)
			}
			l.says(carrier.Status{Ticket: "T-1", Word: "PENDING"})
			pass(3 * time.Hour)
			if r := s.order(1); r.Attends(ledger.AttentionNoProgress) || r.Status != order.StatusPending {
				t.Errorf("%s: it still needs attention after a change", name)
			}
		})
	}
}

// An order of which the carrier knows nothing makes no progress either, and one that another corrects need not.
func TestNoProgressOfSpecialOrders(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(r *ledger.Record)
		want   bool
	}{
		"the carrier does not know it": {func(*ledger.Record) {}, true},
		"another one corrects it":      {func(r *ledger.Record) { r.Successor = orderID(2) }, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := accepted(1, "T-1")
			c.change(&r)
			s := opened(t, newShelf(r), newLine(), seldom)
			pass(10 * 24 * time.Hour)
			if r := s.order(1); r.Attends(ledger.AttentionNoProgress) != c.want {
				t.Errorf("%s: attention %v", name, r.Attention)
			}
		})
	}
}
