package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
	"github.com/portin/portin/internal/order"
)

// The request_id of an order that was placed elsewhere is its order_id, and leads to nothing: whoever uses it as a key claims a
// new order.
func TestWhatIsFollowedHasNoKey(t *testing.T) {
	t.Parallel()
	s, _ := patient(t)
	elsewhere, claim := ledgertest.Elsewhere(1), ledgertest.Record(2)
	claim.RequestID = elsewhere.OrderID
	followed, err := s.Follow(t.Context(), elsewhere, ledgertest.Entry(""))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.FindKey(t.Context(), elsewhere.Tenant, elsewhere.RequestID); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("FindKey: %v, want ErrNotFound", err)
	}
	claimed, err := s.Claim(t.Context(), claim, ledgertest.Entry(""))
	if err != nil {
		t.Fatal(err)
	}
	byKey, err := s.FindKey(t.Context(), claim.Tenant, claim.RequestID)
	if diff := cmp.Diff(claimed, byKey); diff != "" || err != nil {
		t.Errorf("FindKey, error %v (-want +got):\n%s", err, diff)
	}
	page, _, err := s.List(t.Context(), ledger.Query{Tenant: claim.Tenant, RequestID: claim.RequestID, Limit: 5, MaxBytes: 1 << 20})
	if diff := cmp.Diff([]ledger.Record{claimed, followed}, page); diff != "" || err != nil {
		t.Errorf("List, error %v (-want +got):\n%s", err, diff)
	}
}

// The order that comes to hold a number may be the very one that comes to have the ticket. Whoever follows that ticket is shown
// it, and not told of the number.
func TestWhatIsFollowedIsAcceptedMeanwhile(t *testing.T) {
	t.Parallel()
	s, url := patient(t)
	was, elsewhere := ledgertest.Record(1), ledgertest.Elsewhere(2)
	elsewhere.Numbers = was.Numbers
	if err := claims(s, was)(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Advance(t.Context(), was.OrderID, ledgertest.Move(order.NotSent, order.ByAnswer, was.Claimed)); err != nil {
		t.Fatal(err)
	}
	gate := pgtest.Connect(t, url)
	if _, err := gate.Exec(t.Context(), "BEGIN; SELECT FROM ledger FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	advanced, followed := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := s.Advance(context.WithoutCancel(t.Context()), was.OrderID, ledgertest.Accept(elsewhere.Ticket, was.Claimed))
		advanced <- err
	}()
	waiting(t, url, 1)
	var got ledger.Record
	go func() {
		var err error
		got, err = s.Follow(context.WithoutCancel(t.Context()), elsewhere, ledgertest.Entry(""))
		followed <- err
	}()
	waiting(t, url, 2)
	if _, err := gate.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-advanced; err != nil {
		t.Error(err)
	}
	if err := <-followed; !errors.Is(err, ledger.ErrTicketTaken) || got.OrderID != was.OrderID {
		t.Errorf("order %s and %v, want %s and ErrTicketTaken", got.OrderID, err, was.OrderID)
	}
	consistent(t, url)
}
