package directory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/directory"
)

// Each account has its own lists, kept for as long as it has the same way to the carrier.
func TestEachAccountHasItsLists(t *testing.T) {
	t.Parallel()
	first, second, renewed := stocked(), stocked(), stocked()
	second.lists.trunks = []carrier.Trunk{{Pilot: 1}}
	renewed.lists.trunks = nil
	ways := map[string]*fakeCarrier{"first": first, "second": second}
	all := directory.NewAccounts(func(account string) directory.Carrier { return ways[account] }, directory.Config{})
	count := func() (n []int) {
		for _, account := range []string{"first", "second", "first"} {
			found, err := trunks(t.Context(), all.Of(account))
			if err != nil {
				t.Fatal(err)
			}
			n = append(n, found)
		}
		return n
	}
	before := count()
	ways["second"] = renewed
	if diff := cmp.Diff([][]int{{3, 1, 3}, {3, 0, 3}}, [][]int{before, count()}); diff != "" {
		t.Errorf("trunks (-want +got):\n%s", diff)
	}
	for name, c := range map[string]*fakeCarrier{"first": first, "second": second, "renewed": renewed} {
		if n := c.asked.Load(); n != 1 {
			t.Errorf("%s was asked %d times", name, n)
		}
	}
}
