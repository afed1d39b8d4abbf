package ledgertest

import "testing"

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, shared := range map[string]bool{"exclusive": false, "shared": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			Run(t, engine(shared, func(*memory) {}))
		})
	}
}
