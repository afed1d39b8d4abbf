package product

import portinv1 "github.com/portin/portin/gen/go/portin/v1"

// wireTrunkDID is the carrier's NumberPortOrderDIDV2.
type wireTrunkDID struct {
	DIDs        []wireDID       `json:"DIDs"`
	PilotNumber int64           `json:"PilotNumber"`
	PortForm    wireRegularForm `json:"PortForm"`
}

// trunkDID ports regular numbers in as DIDs of a SIP trunk. The trunk exists, so there is no offering to order.
func trunkDID() Spec {
	s := onTrunk(Spec{Arm: "trunk_did", Operation: "DIDs", Path: "/v2/NumberPorts/Inbound/DIDs"}, readTrunkDID)
	s.body = func(o *portinv1.PortInOrder, e *encoder) any {
		t := readTrunkDID(o)
		return wireTrunkDID{
			DIDs:        e.wireDIDs("order.trunk_did.dids", t.dids),
			PilotNumber: e.number(at("order.trunk_did.pilot_number"), *t.pilot),
			PortForm:    e.regularForm(o.GetForm()),
		}
	}
	return s
}

// readTrunkDID gives the shape that both targets of DIDs share.
func readTrunkDID(o *portinv1.PortInOrder) trunk {
	t := o.GetTrunkDid()
	return trunk{pilot: &t.PilotNumber, dids: shapes(t.GetDids(), func(d *portinv1.TrunkDid_Did) did {
		return did{&d.Number, d.Label, d.AdditionalLabel, d.SurecallNumber, d.TranslatedNumber}
	})}
}
