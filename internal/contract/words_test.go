package contract_test

import (
	"testing"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/order"
)

func TestEveryWordOfTheContractIsSaid(t *testing.T) {
	t.Parallel()
	for number := range portinv1.OrderState_name {
		word := portinv1.OrderState(number)
		if word == portinv1.OrderState_ORDER_STATE_UNSPECIFIED {
			continue
		}
		s := contract.StateOf(word)
		if contract.State(s) != word || word.String() != "ORDER_STATE_"+s.String() {
			t.Errorf("%v stands for %v, which is said as %v", word, s, contract.State(s))
		}
	}
	for number := range portinv1.Category_name {
		word := portinv1.Category(number)
		if c := contract.CategoryOf(word); contract.Category(c) != word || (c == 0) != (number == 0) {
			t.Errorf("%v stands for %v, which is said as %v", word, c, contract.Category(c))
		}
	}
	said := map[portinv1.CarrierStatus]bool{contract.Status(""): true, contract.Status("TELEPORTED"): true}
	for _, s := range order.Statuses() {
		said[contract.Status(s)] = true
	}
	for number := range portinv1.CarrierStatus_name {
		if !said[portinv1.CarrierStatus(number)] {
			t.Errorf("no status of the carrier is said as %v", portinv1.CarrierStatus(number))
		}
	}
	if got := contract.Status("TELEPORTED"); got != portinv1.CarrierStatus_CARRIER_STATUS_OTHER {
		t.Errorf("a word that nobody knows is said as %v", got)
	}
	if contract.State(0) != 0 || contract.StateOf(0) != 0 || contract.Status("") != 0 || contract.Category(0) != 0 {
		t.Error("nothing is said as something")
	}
}
