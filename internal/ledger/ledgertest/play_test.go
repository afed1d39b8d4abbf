package ledgertest

import (
	"slices"
	"testing"
)

// TestModelMeetsEverything holds the random scenes to what they are for. What is rare may be missing from one playing, not from
// ten.
func TestModelMeetsEverything(t *testing.T) {
	t.Parallel()
	missing := []string{
		"a claim of attempt 1", "a claim of attempt 2", "a key that is taken", "a number that is held", "an order that has moved on",
		"no order to advance", "an illegal move", "a step's own error", "a step that changes what is fixed", "a ticket that is taken",
		"evidence about a number that is held", "collisions with 0", "collisions with 1", "collisions with 2",
		"a correction", "no order to correct", "an order that cannot be corrected", "a correction whose number is held",
		"a correction that does without a number", "a correction of an order that guards its numbers",
		"a second claim of an order that guards its numbers", "an order that lets go what it did not hand on",
		"an order that is followed", "a ticket that is followed already", "a followed number that is held", "an order that is erased", "an order that is not erased",
	}
	for range 10 {
		met := playOut(begin(t, engine(false, func(*memory) {})))
		missing = slices.DeleteFunc(missing, func(what string) bool { return met[what] > 0 })
		if len(missing) == 0 {
			return
		}
	}
	t.Errorf("no scene met %q", missing)
}
