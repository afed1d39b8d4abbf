package sqlite

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/order"
)

// canary is a text that only the nth order has.
func canary(n int) string { return fmt.Sprintf("canary-%d-", n) }

// planted is an order that has its canary wherever something personal can be, small or so large that it has pages of its own. Its
// numbers are the canary too.
func planted(n int) ledger.Record {
	r := ledgertest.Record(n)
	text := canary(n)
	large := []byte(strings.Repeat(text, 1+n%3*500))
	r.CustomerReference, r.Content, r.Warnings = text, large, []byte(text)
	r.Numbers = []string{text + "first", text + "second"}
	return r
}

// says plants the canary in what the carrier says, several times and longer each time, as the life of an order has it.
func says(n, times int, state order.State) ledger.Step {
	step := ledgertest.Move(state, order.ByAnswer, ledgertest.Epoch())
	return ledger.Step{By: step.By, Now: step.Now, Change: func(r *ledger.Record) (ledger.Entry, error) {
		text := strings.Repeat(canary(n), times)
		r.State, r.Message, r.Problem, r.Rejects, r.Doubt.Finding = state, text, text, []byte(text), text
		r.Attend(ledger.AttentionCode(fmt.Sprintf("CODE_%d", times)), text, step.Now)
		return ledger.Entry{Type: ledger.EventEvidence, Note: text}, nil
	}}
}

// TestNothingIsLeftInTheFile erases orders among others that stay, and looks for what they had in every byte of the closed
// ledger.
func TestNothingIsLeftInTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := opened(t, path)
	const orders = 90
	for n := range orders {
		r := claim(t, s, planted(n))
		for times, state := range []order.State{order.InDoubt, order.InDoubt, order.NotSent} {
			if err := advance(t, s, r, says(n, times+1, state)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range orders {
		if n%5 == 0 { // those that stay
			continue
		}
		if _, err := s.Erase(t.Context(), ledgertest.Record(n).OrderID, ledgertest.Erasure()); err != nil {
			t.Fatal(err)
		}
	}
	intact(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	is := copied(t, path)
	if len(is.log) > 0 {
		t.Errorf("a closed ledger has a log of %d bytes", len(is.log))
	}
	for n := range orders {
		left := bytes.Count(is.database, []byte(canary(n)))
		if erased := n%5 != 0; erased != (left == 0) {
			t.Errorf("of order %d, which was erased: %v, %d traces are left", n, erased, left)
		}
	}
}
