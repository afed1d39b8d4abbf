package ledger_test

import (
	"slices"
	"testing"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// subsets are all lists that can be made of some values by leaving some out, in this order and the other.
func subsets[V any](values []V) [][]V {
	var all [][]V
	for mask := range 1 << len(values) {
		var some []V
		for i, v := range values {
			if mask>>i&1 == 1 {
				some = append(some, v)
			}
		}
		backwards := slices.Clone(some)
		slices.Reverse(backwards)
		all = append(all, some, backwards)
	}
	return all
}

// TestStandings asks every combination of states and categories for every standing that an order can have.
func TestStandings(t *testing.T) {
	t.Parallel()
	var records []ledger.Record
	for _, s := range order.States() {
		for _, word := range []order.Status{"", order.StatusPending, order.StatusConfirmed, order.StatusHold, order.StatusCompleted} {
			records = append(records, ledger.Record{State: s, Status: word})
		}
	}
	categories := []order.Category{order.CategoryOpen, order.CategoryScheduled, order.CategoryAttention, order.CategoryClosed}
	for _, states := range subsets(append(order.States(), 0, 99)) {
		for _, cs := range subsets(categories) {
			got := ledger.Query{States: states, Categories: cs}.Standings()
			if all := len(states) == 0 && len(cs) == 0; all != (got == nil) {
				t.Errorf("states %v, categories %v: standings %v", states, cs, got)
			}
			if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
				t.Errorf("states %v, categories %v: standings %v do not rise", states, cs, got)
			}
			for _, r := range records {
				want := (len(states) == 0 || slices.Contains(states, r.State)) && (len(cs) == 0 || slices.Contains(cs, r.Category()))
				if has := got == nil || slices.Contains(got, r.Standing()); has != want {
					t.Errorf("states %v, categories %v: %v with category %d is in the list: %v, want %v", states, cs, r.State, r.Category(), has, want)
				}
			}
		}
	}
}

func TestStandingTellsStateAndCategory(t *testing.T) {
	t.Parallel()
	type key struct {
		state    order.State
		category order.Category
	}
	seen := map[ledger.Standing]key{}
	for _, s := range order.States() {
		for _, word := range order.Statuses() {
			r := ledger.Record{State: s, Status: word}
			k := key{s, r.Category()}
			if other, known := seen[r.Standing()]; known && other != k {
				t.Errorf("%v and %v have the standing %d", other, k, r.Standing())
			}
			seen[r.Standing()] = k
			if got := (key{r.Standing().State(), r.Standing().Category()}); got != k || r.Standing() == 0 {
				t.Errorf("the standing %d tells %v, and is that of %v", r.Standing(), got, k)
			}
		}
	}
	if none := ledger.Standing(0); none.State() != 0 || none.Category() != 0 {
		t.Errorf("the standing of no order tells %v and %d", none.State(), none.Category())
	}
	if len(seen) != 4+4 {
		t.Errorf("%d standings, want four of accepted orders and one of each other state", len(seen))
	}
}
