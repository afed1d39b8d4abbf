package tracker

import (
	"slices"
	"strings"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// filter is which orders a watch is of.
type filter struct {
	tenant, orderID string
	states          []order.State
	categories      []order.Category
	// standings are the same as states and categories; nil lets every order pass.
	standings []ledger.Standing
}

func newFilter(tenant string, req *portinv1.WatchPortInOrdersRequest) filter {
	f := filter{tenant: tenant, orderID: strings.ToLower(req.GetOrderId())}
	for _, s := range req.GetStates() {
		f.states = append(f.states, contract.StateOf(s))
	}
	for _, c := range req.GetCategories() {
		f.categories = append(f.categories, contract.CategoryOf(c))
	}
	f.standings = ledger.Query{States: f.states, Categories: f.categories}.Standings()
	return f
}

// stands reports whether an order that stands there passes.
func (f *filter) stands(s ledger.Standing) bool {
	return f.standings == nil || slices.Contains(f.standings, s)
}

// hasOrder reports whether the watch is of an order as it is.
func (f *filter) hasOrder(r *ledger.Record) bool {
	return f.ofOrder(r.Tenant, r.OrderID) && f.stands(r.Standing())
}

// hasEvent reports whether an event is of an order that passes, or that did before it.
func (f *filter) hasEvent(e *ledger.Event) bool {
	return f.ofOrder(e.Tenant, e.OrderID) && (f.stands(e.Is) || f.stands(e.Was))
}

func (f *filter) ofOrder(tenant, orderID string) bool {
	return tenant == f.tenant && (f.orderID == "" || f.orderID == orderID)
}
