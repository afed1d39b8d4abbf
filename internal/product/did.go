package product

import (
	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/nanp"
)

// trunk is a target of DIDs on a SIP trunk, for regular and for toll-free numbers: the contract has a message for each,
// the carrier one DIDRequestV2. The pointers lead into the order.
type trunk struct {
	pilot *string
	dids  []did
}

// did is one DID of a trunk. What is nil is absent.
type did struct {
	number                                       *string
	label, additionalLabel, surecall, translated *string
}

// wireDID is the carrier's DIDRequestV2.
type wireDID struct {
	AdditionalLabel  *string `json:"AdditionalLabel,omitempty"`
	Label            *string `json:"Label,omitempty"`
	Number           int64   `json:"Number"`
	Surecall         *int64  `json:"Surecall,omitempty"`
	TranslatedNumber *int64  `json:"TranslatedNumber,omitempty"`
}

// onTrunk gives a spec what every target of DIDs has. Paths are made once, and places from them entry by entry.
func onTrunk(s Spec, read func(*portinv1.PortInOrder) trunk) Spec {
	pilotField, list := s.field()+".pilot_number", s.field()+".dids"
	s.phones = func(o *portinv1.PortInOrder) []phone {
		t := read(o)
		phones := []phone{{at: at(pilotField), value: t.pilot}}
		for i, d := range t.dids {
			phones = append(phones, phone{at: entry(list, i, "number"), value: d.number, role: ported})
			phones = append(phones, phoneIf(entry(list, i, "surecall_number"), d.surecall, surecalled, d.number)...)
			phones = append(phones, phoneIf(entry(list, i, "translated_number"), d.translated, mentioned, nil)...)
		}
		return phones
	}
	s.references = func(o *portinv1.PortInOrder) []Reference {
		// The carrier's list of trunks has ten digits, not E.164.
		pilot, _ := nanp.Read(*read(o).pilot)
		if pilot == 0 {
			return nil
		}
		return []Reference{{Field: pilotField, Kind: Trunk, Value: pilot.Digits()}}
	}
	s.doubts = func(o *portinv1.PortInOrder, d *doubts) { d.trunk(list, read(o)) }
	return s
}

// wireDIDs writes the product's own list; the same numbers stand in the form's NumbersToPort.
func (e *encoder) wireDIDs(list string, dids []did) []wireDID {
	wire := make([]wireDID, len(dids))
	for i, d := range dids {
		wire[i] = wireDID{
			AdditionalLabel:  d.additionalLabel,
			Label:            d.label,
			Number:           e.number(entry(list, i, "number"), *d.number),
			Surecall:         e.numberIf(entry(list, i, "surecall_number"), d.surecall),
			TranslatedNumber: e.numberIf(entry(list, i, "translated_number"), d.translated),
		}
	}
	return wire
}

// trunk doubts a DID that is the trunk's pilot, and one whose calls would go to where they cannot be reached either: a
// surecall number is for the moment when the whole trunk is gone.
func (d *doubts) trunk(list string, t trunk) {
	pilot, _ := nanp.Read(*t.pilot)
	onTrunk := map[nanp.Number]bool{pilot: true}
	for i, did := range t.dids {
		n, ok := nanp.Read(*did.number)
		if ok && n == pilot {
			d.ambiguous(entry(list, i, "number"), "is the pilot number of the trunk, which is with the carrier already")
		}
		onTrunk[n] = true
	}
	for i, did := range t.dids {
		if did.surecall == nil {
			continue
		}
		to, ok := nanp.Read(*did.surecall)
		if own, _ := nanp.Read(*did.number); ok && to != own && onTrunk[to] {
			d.ambiguous(entry(list, i, "surecall_number"),
				"is a number of the same trunk, which cannot be reached when its calls go there")
		}
	}
}
