package product

import portinv1 "github.com/portin/portin/gen/go/portin/v1"

// wireTrunkTollFreeDID is the carrier's NumberPortTollFreeOrderDIDV2.
type wireTrunkTollFreeDID struct {
	DIDs        []wireDID        `json:"DIDs"`
	PilotNumber int64            `json:"PilotNumber"`
	PortForm    wireTollFreeForm `json:"PortForm"`
}

// trunkTollFreeDID ports toll-free numbers in as DIDs of a SIP trunk. The trunk exists, so there is no offering to order.
func trunkTollFreeDID() Spec {
	s := onTrunk(Spec{
		Arm:       "trunk_toll_free_did",
		Operation: "TollFree/DIDs",
		Path:      "/v2/NumberPorts/Inbound/TollFree/DIDs",
		TollFree:  true,
	}, readTrunkTollFreeDID)
	s.body = func(o *portinv1.PortInOrder, e *encoder) any {
		t := readTrunkTollFreeDID(o)
		return wireTrunkTollFreeDID{
			DIDs:        e.wireDIDs("order.trunk_toll_free_did.dids", t.dids),
			PilotNumber: e.number(at("order.trunk_toll_free_did.pilot_number"), *t.pilot),
			PortForm:    e.tollFreeForm(o.GetForm()),
		}
	}
	return s
}

// readTrunkTollFreeDID gives the shape that both targets of DIDs share.
func readTrunkTollFreeDID(o *portinv1.PortInOrder) trunk {
	t := o.GetTrunkTollFreeDid()
	return trunk{pilot: &t.PilotNumber, dids: shapes(t.GetDids(), func(d *portinv1.TrunkTollFreeDid_Did) did {
		return did{&d.Number, d.Label, d.AdditionalLabel, d.SurecallNumber, d.TranslatedNumber}
	})}
}
