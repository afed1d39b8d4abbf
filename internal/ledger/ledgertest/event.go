package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// eventCases are what the events tell and in which order.
func eventCases() []aCase {
	return []aCase{
		{"events are read from any place in any number", eventsInPages},
		{"sequences rise from change to change", sequencesRise},
		{"who has seen an event has seen all before it", nothingIsToldLate},
	}
}

// redate is a step that moves the day of the port, which is an event in any state.
func redate(day int) ledger.Step {
	return alter(func(r *ledger.Record) { r.PortDate = fmt.Sprintf("day %d", day) })
}

func eventsInPages(t *trial) {
	r := t.claimed(Record(1))
	other := t.claimed(with(Record(2), func(r *ledger.Record) { r.Tenant = "another" }))
	for i := range 9 {
		t.advanced(r.OrderID, redate(i))
		t.advanced(other.OrderID, redate(i))
	}
	all := t.told(r)
	if len(all) != 10 {
		t.Fatalf("%d events, want 10", len(all))
	}
	for i, e := range all {
		for limit := 1; limit <= 12; limit++ {
			for _, after := range []int64{e.Sequence, e.Sequence - 1} {
				from := i + 1
				if after < e.Sequence {
					from = i
				}
				want := all[from:min(from+limit, len(all))]
				got, err := t.Events(t.Context(), r.Tenant, r.OrderID, false, after, limit)
				if err != nil {
					t.Fatal(err)
				}
				t.same(fmt.Sprintf("%d events after %d", limit, after), want, got)
			}
		}
	}
	for _, r := range []ledger.Record{
		with(r, func(r *ledger.Record) { r.Tenant = other.Tenant }), with(other, func(r *ledger.Record) { r.Tenant = ledger.Default }),
	} {
		if _, err := t.Events(t.Context(), r.Tenant, r.OrderID, false, all[9].Sequence+100, 10); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("Events of another tenant's order: %v, want ErrNotFound", err)
		}
	}
}

func sequencesRise(t *trial) {
	var told []ledger.Event
	var orders []ledger.Record
	for i := range 5 {
		orders = append(orders, t.claimed(Record(i)))
		told = append(told, t.told(Record(i))...)
	}
	for i := range 20 {
		r := orders[i*3%5]
		if i == 10 {
			t.reopen()
		}
		before := len(t.told(r))
		t.advanced(r.OrderID, alter(func(r *ledger.Record) {
			r.PortDate, r.Status = fmt.Sprint(i), order.Status(fmt.Sprint(i))
			r.Attention = append(r.Attention, ledger.Attention{Code: ledger.AttentionCode(fmt.Sprint(i)), Since: Epoch()})
		}))
		told = append(told, t.told(r)[before:]...)
	}
	if len(told) != 5+20*3 {
		t.Errorf("%d events, want 65", len(told))
	}
	for i := 1; i < len(told); i++ {
		if told[i].Sequence <= told[i-1].Sequence {
			t.Errorf("event %d has sequence %d after %d", i, told[i].Sequence, told[i-1].Sequence)
		}
	}
}

// watcher reads the events of some orders round after round, as a watch does.
type watcher struct {
	store  ledger.Store
	orders []ledger.Record
	// seen are the events of each order so far. Of an event that is found later, the sequence must be above floor: at the
	// time of the last reading of that order, everything up to it had been seen.
	seen  [][]ledger.Event
	floor []int64
	high  int64
	late  []string
}

// round reads what is new of every order.
func (w *watcher) round(t *trial) error {
	for i, r := range w.orders {
		after, before := int64(0), w.high
		if n := len(w.seen[i]); n > 0 {
			after = w.seen[i][n-1].Sequence
		}
		events, err := w.store.Events(t.Context(), r.Tenant, r.OrderID, false, after, 1000)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Sequence <= w.floor[i] {
				w.late = append(w.late, fmt.Sprintf("sequence %d of order %d came after %d had been seen", e.Sequence, i, w.floor[i]))
			}
			w.high = max(w.high, e.Sequence)
		}
		w.seen[i] = append(w.seen[i], events...)
		w.floor[i] = before
	}
	return nil
}

func nothingIsToldLate(t *trial) {
	const writers, changes = 8, 25
	stores := t.stores(3)
	var orders []ledger.Record
	for i := range writers {
		orders = append(orders, t.claimed(Record(i)))
	}
	errs := make([]error, writers+2)
	watchers := make([]*watcher, 2)
	var writing atomic.Int32
	writing.Store(writers)
	var wg sync.WaitGroup
	for i := range watchers {
		w := &watcher{
			store: stores[i%len(stores)], orders: slices.Clone(orders), seen: make([][]ledger.Event, writers), floor: make([]int64, writers),
		}
		watchers[i] = w
		wg.Go(func() {
			for errs[writers+i] == nil && writing.Load() > 0 {
				errs[writers+i] = w.round(t)
			}
			// Whatever was committed by now is there to see.
			errs[writers+i] = errors.Join(errs[writers+i], w.round(t))
		})
	}
	for i, r := range orders {
		wg.Go(func() {
			defer writing.Add(-1)
			for n := range changes {
				step := redate(n)
				step.Now = Epoch().Add(time.Duration(n) * time.Second)
				if _, err := stores[i%len(stores)].Advance(t.Context(), r.OrderID, step); err != nil {
					errs[i] = err
				}
			}
		})
	}
	wg.Wait()
	if text := joined(errs); text != "" {
		t.Fatalf("errors:%s", text)
	}
	for _, w := range watchers {
		for _, late := range w.late {
			t.Error(late)
		}
		for i, r := range orders {
			t.same("what a watcher saw of an order", t.told(r), w.seen[i])
		}
	}
}
