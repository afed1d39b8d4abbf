package order_test

import (
	"testing"

	"github.com/portin/portin/internal/order"
)

func TestRefusedAndAcceptedAreFinal(t *testing.T) {
	t.Parallel()
	for _, from := range []order.State{order.Refused, order.Accepted} {
		for _, to := range order.States() {
			for by := order.ByAnswer; by <= order.ByResend; by++ {
				if order.CanMove(from, to, by) {
					t.Errorf("%v may become %v (cause %d); it is final", from, to, by)
				}
			}
		}
	}
}

func TestOnlyACallerSendsAgain(t *testing.T) {
	t.Parallel()
	for _, from := range order.States() {
		for by := order.ByAnswer; by <= order.ByResend; by++ {
			want := from == order.NotSent && by == order.ByResend
			if got := order.CanMove(from, order.Sending, by); got != want {
				t.Errorf("CanMove(%v, SENDING, cause %d) = %v, want %v", from, by, got, want)
			}
		}
	}
}

func TestSendingAndInDoubtReachEveryAnswer(t *testing.T) {
	t.Parallel()
	for _, to := range []order.State{order.NotSent, order.Refused, order.Accepted} {
		for _, from := range []order.State{order.Sending, order.InDoubt} {
			if !order.CanMove(from, to, order.ByAnswer) {
				t.Errorf("%v cannot become %v by the answer of its own POST", from, to)
			}
		}
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	want := map[order.State][2]bool{
		order.Sending: {true, true}, order.NotSent: {}, order.Refused: {}, order.InDoubt: {true, true}, order.Accepted: {true, false},
	}
	for _, s := range order.States() {
		if got := [2]bool{s.Holds(false), s.Holds(true)}; got != want[s] {
			t.Errorf("%v holds its numbers (open, closed) = %v, want %v", s, got, want[s])
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range order.States() {
		if s.String() == "UNSPECIFIED" || seen[s.String()] {
			t.Errorf("state %d is called %q", s, s)
		}
		seen[s.String()] = true
	}
	if got := order.State(0).String(); got != "UNSPECIFIED" {
		t.Errorf("the zero state is called %q", got)
	}
	if got := order.State(200).String(); got != "UNSPECIFIED" {
		t.Errorf("an undefined state is called %q", got)
	}
}
