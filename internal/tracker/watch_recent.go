package tracker

import (
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

// Shared is something that many watches are told, encoded once for all of them.
type Shared[T any] struct {
	// Value is not to be written to.
	Value T

	once    sync.Once
	encoded []byte
	err     error
}

// Encoded is what encode makes of the value the first time; nobody may write to it.
func (s *Shared[T]) Encoded(encode func(T) ([]byte, error)) ([]byte, error) {
	s.once.Do(func() { s.encoded, s.err = encode(s.Value) })
	return s.encoded, s.err
}

// recent is what has happened lately. It does not change: see Watches.replace.
type recent struct {
	// after and head say which events these are: all with a higher sequence than after, up to head, but for those whose order
	// is no longer there.
	after, head int64
	changes     []*change
	// mark is that of the event at head, zero while it was not read.
	mark mark
	// newer is closed when there is something newer.
	newer chan struct{}
	// end is why watches end now; nil while they go on.
	end *fault.Error
}

// change is an event, and the order that it is of.
type change struct {
	event *Shared[ledger.Event]
	mark  mark
	order *known
}

// known is an order that one of the changes is of, as it was when the ledger was read last. The same for all its changes, so
// that who reads an old one gets the newest order.
type known struct {
	now atomic.Pointer[Shared[ledger.Record]]
	// uses counts the changes, weight is that of now; only the reader of the ledger looks at these.
	uses, weight int
}

// since returns the changes with a higher sequence.
func (r *recent) since(sequence int64) []*change {
	first := sort.Search(len(r.changes), func(i int) bool { return r.changes[i].event.Value.Sequence > sequence })
	return r.changes[first:]
}

// markAt is the mark of an event, if it is among these.
func (r *recent) markAt(sequence int64) (m mark, known bool) {
	if sequence == r.head && r.mark != (mark{}) {
		return r.mark, true
	}
	if later := r.since(sequence - 1); len(later) > 0 && later[0].event.Value.Sequence == sequence {
		return later[0].mark, true
	}
	return mark{}, false
}

// weight is about how many bytes an order takes, with its encoding.
func weight(r *ledger.Record) int {
	const rest = 2 << 10
	return rest + 2*(len(r.Content)+len(r.Warnings)+len(r.Rejects)+len(r.Message)+32*len(r.Numbers)+256*len(r.Attention))
}

// weightOf is about how many bytes an event takes, with its encoding.
func weightOf(e *ledger.Event) int {
	const rest = 1 << 10
	return rest + 2*(len(e.Note)+32*len(e.Attention))
}

// take adds changes to the recent ones, as far as there is room, and lets the oldest go. It returns the changes to be shown.
func (r *reading) take(old []*change, events []ledger.Event, records []ledger.Record) (kept []*change, after int64) {
	for _, record := range records {
		k := r.orders[record.OrderID]
		if k == nil {
			k = &known{}
			r.orders[record.OrderID] = k
		}
		r.bytes += weight(&record) - k.weight
		k.weight = weight(&record)
		k.now.Store(&Shared[ledger.Record]{Value: record})
	}
	kept = slices.Clone(old)
	for _, e := range events {
		// An order that is gone has nobody to be told of.
		if k := r.orders[e.OrderID]; k != nil {
			k.uses++
			r.bytes += weightOf(&e)
			kept = append(kept, &change{event: &Shared[ledger.Event]{Value: e}, mark: markOf(&e), order: k})
		}
		if e.Type == ledger.EventErased {
			r.erase(kept, e)
		}
	}
	gone := 0
	for ; gone < len(kept) && (len(kept)-gone > r.Recent || r.bytes > r.RecentBytes); gone++ {
		c := kept[gone]
		after = c.event.Value.Sequence
		r.bytes -= weightOf(&c.event.Value)
		c.order.uses--
		if c.order.uses == 0 {
			r.bytes -= c.order.weight
			delete(r.orders, c.event.Value.OrderID)
		}
	}
	return slices.Clone(kept[gone:]), after
}

// erase takes what is personal from the changes of an order that was erased, up to the one that says so: who reads an old one gets
// what the ledger has of it now.
func (r *reading) erase(changes []*change, erased ledger.Event) {
	for i, c := range changes {
		if was := c.event.Value; was.OrderID == erased.OrderID && was.Sequence < erased.Sequence {
			is := was.Erase()
			r.bytes += weightOf(&is) - weightOf(&was)
			changes[i] = &change{event: &Shared[ledger.Event]{Value: is}, mark: c.mark, order: c.order}
		}
	}
}
