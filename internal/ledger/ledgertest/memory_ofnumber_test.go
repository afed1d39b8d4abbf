package ledgertest

import (
	"context"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// OfNumber returns orders of any tenant that ask for a number, as the quirks have it.
func (s *memoryStore) OfNumber(ctx context.Context, q ledger.NumberQuery) (all []ledger.Record, err error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	asked := q
	switch {
	case s.quirks["finds itself by number"]:
		q.But = ""
	case s.quirks["finds by number what is long past"]:
		q.FromUpdated = time.Time{}
	case s.quirks["cuts where a number's changes begin"]:
		q.FromUpdated = q.FromUpdated.Truncate(time.Microsecond)
	case s.quirks["finds by number what is settled"]:
		q.Unsettled = false
	}
	for _, r := range s.orders {
		if !wants(q, r) || s.misses(asked, r) {
			continue
		}
		if len(all) == q.Limit && !s.quirks["finds by number without end"] {
			break
		}
		all = append(all, s.out(r))
	}
	return all, nil
}

// misses reports whether a quirk keeps an order of a number from being found.
func (m *memory) misses(q ledger.NumberQuery, r ledger.Record) bool {
	switch {
	case m.quirks["finds a tenant's by number"]:
		return r.Tenant != "a"
	case m.quirks["finds an account's by number"]:
		return r.CarrierAccount == "another"
	case m.quirks["finds by the first number"]:
		return r.Numbers[0] != q.Number
	case m.quirks["finds by number who holds it"]:
		return !r.Holds()
	case m.quirks["finds by number what is placed here"]:
		return r.Elsewhere
	case m.quirks["finds by number what is being sent alone"]:
		return q.Unsettled && r.State == order.InDoubt
	}
	return false
}

// flawsOfNumbers are the flaws of what is told of a number across tenants.
var flawsOfNumbers = map[string][]quirk{
	"the orders of a number are those of all tenants": {
		"finds a tenant's by number", "finds an account's by number", "finds by the first number", "finds by number who holds it",
		"finds by number what is placed here",
	},
	"the orders of a number are those that the query leaves": {
		"finds itself by number", "finds by number what is long past", "cuts where a number's changes begin", "finds by number what is settled",
		"finds by number what is being sent alone",
	},
	"no more orders of a number are returned than are wanted": {"finds by number without end"},
}
