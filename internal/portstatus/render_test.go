package portstatus_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
)

func TestEveryMemberOfAStatusIsPassedOn(t *testing.T) {
	t.Parallel()
	got := portstatus.Render(carrier.Status{
		Ticket: "T-1", Word: "REJECTED", Validated: true, Disputing: new(false), Numbers: []int64{4165550124, 4165550123},
		PortDate: "20261215", RejectReason: "reason", RejectSummary: "summary", EndUserName: "name", AccountNumber: "account",
		Reseller: "reseller",
		Rejects: []carrier.Reject{
			{
				Code: "1A", Form: "LSR", Field: "AN", Remarks: "remarks", RejectRemarks: "reject remarks",
				Ported: "416-555-0123", PortedRange: "0124", Disconnect: "416-555-0130", DiscRange: "0139",
			},
			{Code: "ZZ", Form: "EU", Field: "XQ9", Ported: "none"},
		},
	})
	want := &portinv1.PortInStatus{
		TicketId: "T-1", Status: portinv1.CarrierStatus_CARRIER_STATUS_REJECTED, StatusWord: "REJECTED",
		Category: portinv1.Category_CATEGORY_ATTENTION, Validated: true, Disputing: new(false),
		Numbers: []string{"+14165550124", "+14165550123"}, PortDate: "2026-12-15", RejectReasonText: "reason", RejectSummary: "summary",
		EndUserName: "name", AccountNumber: "account", Reseller: "reseller",
		Rejects: []*portinv1.Reject{
			{
				Reason: portinv1.RejectReason_REJECT_REASON_ACCOUNT_NUMBER, Field: "order.form.customer_account_number",
				Party: portinv1.RejectParty_REJECT_PARTY_CALLER, ResendingHelps: new(true),
				Text: &portinv1.LocalizedText{
					En: "The losing carrier does not accept the account number; it is missing, or not the one that it has for the numbers.",
					Fr: "Le fournisseur actuel n’accepte pas le numéro de compte; il manque ou n’est pas celui qu’il associe aux numéros.",
				},
				Collect: &portinv1.LocalizedText{
					En: "Ask the customer for the account number on the latest invoice of the company that they pay, and copy it " +
						"exactly. If it is already the same, have the customer ask that company which account number it wants for a port.",
					Fr: "Demandez au client le numéro de compte qui figure sur la dernière facture de l’entreprise qu’il paie et " +
						"recopiez-le exactement. S’il est déjà identique, le client doit demander à cette entreprise quel numéro de " +
						"compte utiliser pour un transfert.",
				},
				Record: &portinv1.RejectRecord{
					Code: "1A", Form: "LSR", FieldAbbreviation: "AN", Remarks: "remarks", RejectRemarks: "reject remarks",
					PortedNumber: "+14165550123", PortedNumberRange: "0124", DisconnectNumber: "+14165550130", DisconnectNumberRange: "0139",
				},
			},
			{
				Reason: portinv1.RejectReason_REJECT_REASON_OTHER,
				Text: &portinv1.LocalizedText{
					En: "The losing carrier rejected the order; what its record means is not known here. Read the remarks of the record.",
					Fr: "Le fournisseur actuel a rejeté la commande; on ne sait pas ici ce que son enregistrement signifie. Lisez-en les remarques.",
				},
				Record: &portinv1.RejectRecord{Code: "ZZ", Form: "EU", FieldAbbreviation: "XQ9", PortedNumber: "none"},
			},
		},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestEveryKnownWordHasAValueAndACategory(t *testing.T) {
	t.Parallel()
	seen := map[portinv1.CarrierStatus]order.Status{}
	for _, word := range order.Statuses() {
		got := portstatus.Render(carrier.Status{Word: string(word)})
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
	for _, c := range []struct {
		in   carrier.Status
		want *portinv1.PortInStatus
	}{
		{carrier.Status{Word: "TELEPORTED", PortDate: "soon"}, &portinv1.PortInStatus{
			Status: portinv1.CarrierStatus_CARRIER_STATUS_OTHER, StatusWord: "TELEPORTED",
			Category: portinv1.Category_CATEGORY_ATTENTION, PortDate: "soon",
		}},
		{carrier.Status{}, &portinv1.PortInStatus{}},
		{carrier.Status{Word: "REJECTED", Disputing: new(true)}, &portinv1.PortInStatus{
			Status: portinv1.CarrierStatus_CARRIER_STATUS_REJECTED, StatusWord: "REJECTED",
			Category: portinv1.Category_CATEGORY_OPEN, Disputing: new(true),
		}},
	} {
		if diff := cmp.Diff(c.want, portstatus.Render(c.in), protocmp.Transform()); diff != "" {
			t.Errorf("status of %+v (-want +got):\n%s", c.in, diff)
		}
	}
}
