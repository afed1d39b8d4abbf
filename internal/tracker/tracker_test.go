package tracker_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/tracker"
)

// knows is a carrier that knows one port-in, by ticket "T-1" and by number 4165550123.
type knows carrier.Status

func (k knows) StatusByTicket(_ context.Context, ticket string) (carrier.Status, error) {
	if ticket != "T-1" {
		return carrier.Status{}, fault.New(fault.ReasonPortInNotFound, "none")
	}
	return carrier.Status(k), nil
}

func (k knows) StatusByNumber(_ context.Context, number int64) (carrier.Status, error) {
	if number != 4165550123 {
		return carrier.Status{}, fault.New(fault.ReasonPortInNotFound, "none")
	}
	return carrier.Status(k), nil
}

func TestEveryMemberOfAStatusIsPassedOn(t *testing.T) {
	t.Parallel()
	disputing := false
	status := carrier.Status{
		Ticket: "T-1", Word: "REJECTED", Validated: true, Disputing: &disputing, Numbers: []int64{4165550123, 4165550124},
		PortDate: "20261215", RejectReason: "reason", RejectSummary: "summary", EndUserName: "name", AccountNumber: "account",
		Reseller: "reseller",
		Rejects: []carrier.Reject{{
			Code: "1A", Form: "LSR", Field: "ACCT", Remarks: "remarks", RejectRemarks: "reject remarks",
			Ported: "416-555-0123", PortedRange: "0124", Disconnect: "416-555-0130", DiscRange: "0139",
		}},
	}
	want := &portinv1.PortInStatus{
		TicketId: "T-1", Status: portinv1.CarrierStatus_CARRIER_STATUS_REJECTED, StatusWord: "REJECTED",
		Category: portinv1.Category_CATEGORY_ATTENTION, Validated: true, Disputing: &disputing,
		Numbers: []string{"+14165550123", "+14165550124"}, PortDate: "2026-12-15", RejectReasonText: "reason", RejectSummary: "summary",
		EndUserName: "name", AccountNumber: "account", Reseller: "reseller",
		Rejects: []*portinv1.RejectRecord{{
			Code: "1A", Form: "LSR", FieldAbbreviation: "ACCT", Remarks: "remarks", RejectRemarks: "reject remarks",
			PortedNumber: "+14165550123", PortedNumberRange: "0124", DisconnectNumber: "+14165550130", DisconnectNumberRange: "0139",
		}},
	}
	tr := tracker.New(knows(status))
	byTicket, err := tr.StatusOfTicket(t.Context(), "T-1")
	if err != nil {
		t.Fatal(err)
	}
	byNumber, err := tr.StatusOfNumber(t.Context(), "(416) 555-0123")
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []*portinv1.PortInStatus{byTicket, byNumber} {
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("status (-want +got):\n%s", diff)
		}
	}
}

func TestEveryKnownWordHasAValueAndACategory(t *testing.T) {
	t.Parallel()
	seen := map[portinv1.CarrierStatus]order.Status{}
	for _, word := range order.Statuses() {
		got, err := tracker.New(knows{Word: string(word)}).StatusOfTicket(t.Context(), "T-1")
		if err != nil {
			t.Fatal(err)
		}
		if other, twice := seen[got.GetStatus()]; twice {
			t.Errorf("%s and %s both become %v", word, other, got.GetStatus())
		}
		seen[got.GetStatus()] = word
		if got.GetStatusWord() != string(word) || got.GetCategory() == portinv1.Category_CATEGORY_UNSPECIFIED {
			t.Errorf("%s becomes %v", word, got)
		}
	}
	for value, name := range portinv1.CarrierStatus_name {
		s := portinv1.CarrierStatus(value)
		if _, ok := seen[s]; !ok && s != portinv1.CarrierStatus_CARRIER_STATUS_OTHER && s != portinv1.CarrierStatus_CARRIER_STATUS_UNSPECIFIED {
			t.Errorf("no word becomes %s", name)
		}
	}
}

func TestWhatIsNotKnownIsPassedOn(t *testing.T) {
	t.Parallel()
	disputed := true
	for _, c := range []struct {
		in   carrier.Status
		want *portinv1.PortInStatus
	}{
		{carrier.Status{Word: "TELEPORTED", PortDate: "soon"}, &portinv1.PortInStatus{
			Status: portinv1.CarrierStatus_CARRIER_STATUS_OTHER, StatusWord: "TELEPORTED",
			Category: portinv1.Category_CATEGORY_ATTENTION, PortDate: "soon",
		}},
		{carrier.Status{}, &portinv1.PortInStatus{}},
		{carrier.Status{Word: "REJECTED", Disputing: &disputed}, &portinv1.PortInStatus{
			Status: portinv1.CarrierStatus_CARRIER_STATUS_REJECTED, StatusWord: "REJECTED",
			Category: portinv1.Category_CATEGORY_OPEN, Disputing: &disputed,
		}},
	} {
		got, err := tracker.New(knows(c.in)).StatusOfTicket(t.Context(), "T-1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got, protocmp.Transform()); diff != "" {
			t.Errorf("status of %+v (-want +got):\n%s", c.in, diff)
		}
	}
}

func TestNoneIsNotFound(t *testing.T) {
	t.Parallel()
	tr := tracker.New(knows{})
	if _, err := tr.StatusOfTicket(t.Context(), "T-2"); !fault.Is(err, fault.ReasonPortInNotFound) {
		t.Errorf("an unknown ticket answers %v", err)
	}
	for _, written := range []string{"", "416-555-012", "911", "+4930123456"} {
		_, err := tr.StatusOfNumber(t.Context(), written)
		if f := fault.From(err); f == nil || f.Reason != fault.ReasonInvalidFields || len(f.Violations) != 1 || f.Violations[0].Field != "number" {
			t.Errorf("the number %q answers %v, want a violation of number", written, err)
		}
	}
	if _, err := tr.StatusOfNumber(t.Context(), "+14165550199"); !fault.Is(err, fault.ReasonPortInNotFound) {
		t.Errorf("an unknown number answers %v", err)
	}
}
