package ledger

import (
	"slices"
	"time"

	"github.com/portin/portin/internal/order"
)

// Query is which orders are wanted. Filters of different fields all apply; the zero value of a filter lets every order
// pass.
type Query struct {
	Tenant string

	// States and Categories are alternatives each.
	States     []order.State
	Categories []order.Category
	// Number is in E.164; the others are compared exactly.
	Number, Ticket, CustomerReference, RequestID string
	// History is the first order of a row of orders that correct each other.
	History        string
	NeedsAttention *bool
	// Attention are alternatives; an order that does not need attention has none of them.
	Attention []AttentionCode
	// From is inclusive, Before is not.
	FromCreated, BeforeCreated, FromUpdated, BeforeUpdated time.Time

	// After is the last order of the page before; zero begins with the newest.
	After Position
	// Limit is how many orders a page has at the most, and MaxBytes ends a page before the order by which its contents and
	// warnings would exceed it; a page has one order at the least. Both are above zero.
	Limit, MaxBytes int
}

// NumberQuery is which orders of a number are wanted. Filters all apply; the zero value of one lets every order pass.
type NumberQuery struct {
	// Number is in E.164; the empty one is nobody's.
	Number string
	// But is an order that is not wanted.
	But string
	// FromUpdated is inclusive.
	FromUpdated time.Time
	// Unsettled wants only orders of which nobody knows whether the carrier has them: SENDING and IN_DOUBT.
	Unsettled bool
	// Limit is how many are wanted at the most.
	Limit int
}

// Position is an order's place in a list.
type Position struct {
	Created time.Time
	OrderID string
}

// Standing is a state and a category in one number; an index over it finds orders by both. Zero is that of no order.
type Standing int

func standing(s order.State, c order.Category) Standing { return Standing(int(s)*10 + int(c)) }

// State is the state.
func (s Standing) State() order.State { return order.State(s / 10) }

// Category is the category; zero in every state but Accepted.
func (s Standing) Category() order.Category { return order.Category(s % 10) }

// Wants reports whether orders that need attention may be wanted, or those that do not. When neither may, no order passes.
func (q Query) Wants(attention bool) bool {
	return (q.NeedsAttention == nil || *q.NeedsAttention == attention) && (attention || len(q.Attention) == 0)
}

// Standings lists what Record.Standing of a wanted order may be, rising; nil lets every order pass, and an empty list none.
func (q Query) Standings() []Standing {
	if len(q.States) == 0 && len(q.Categories) == 0 {
		return nil
	}
	all := []Standing{}
	for _, s := range order.States() {
		if len(q.States) > 0 && !slices.Contains(q.States, s) {
			continue
		}
		if s != order.Accepted {
			if len(q.Categories) == 0 {
				all = append(all, standing(s, 0))
			}
			continue
		}
		for c := order.CategoryOpen; c <= order.CategoryClosed; c++ {
			if len(q.Categories) == 0 || slices.Contains(q.Categories, c) {
				all = append(all, standing(s, c))
			}
		}
	}
	return all
}
