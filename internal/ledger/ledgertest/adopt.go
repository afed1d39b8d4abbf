package ledgertest

import (
	"sync"
)

// adoptCases are what becomes of what was there before tenants were told apart.
func adoptCases() []aCase {
	return []aCase{
		{"the first tenant adopts, once and for all", adoptedOnce},
		{"of tenants that adopt at once one does", adoptedByOne},
	}
}

// adopts has a tenant adopt, and wants this one to have done so then.
func (t *trial) adopts(when, tenant, want string) {
	t.Helper()
	got, err := t.Adopt(t.Context(), tenant)
	if err != nil {
		t.Fatalf("%s: Adopt: %v", when, err)
	}
	if got != want {
		t.Errorf("%s: Adopt(%q) says %q, want %q", when, tenant, got, want)
	}
}

func adoptedOnce(t *trial) {
	t.adopts("nobody has", "", "")
	t.reopen()
	t.adopts("nobody has, again", "", "")
	t.adopts("the first", "acmé", "acmé")
	t.adopts("the second", "globex", "acmé")
	t.adopts("the first again", "acmé", "acmé")
	t.adopts("who it is", "", "acmé")
	t.reopen()
	t.adopts("after a restart", "globex", "acmé")
}

func adoptedByOne(t *trial) {
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	got := make([]string, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			var err error
			if got[i], err = t.Adopt(t.Context(), name); err != nil {
				t.Errorf("Adopt: %v", err)
			}
		})
	}
	all.Wait()
	for _, who := range got {
		if who == "" || who != got[0] {
			t.Fatalf("tenants that adopt at once are told %q", got)
		}
	}
}
