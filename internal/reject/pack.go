package reject

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/portin/portin/internal/carrier"
)

// version is the version of packed records. It goes up only when an older binary would misread what a newer one writes; a
// further field does not raise it.
const version = 1

// errBroken says nothing of what is broken: remarks quote customers, and errors are logged.
var errBroken = errors.New("reject: the packed records cannot be read")

// packed is how the ledger keeps the records. Names are explicit: carrier.Reject may change its own.
type packed struct {
	Version int            `json:"version"`
	Records []packedRecord `json:"records"`
}

type packedRecord struct {
	Code            string `json:"code,omitempty"`
	Form            string `json:"form,omitempty"`
	Field           string `json:"field,omitempty"`
	Remarks         string `json:"remarks,omitempty"`
	RejectRemarks   string `json:"reject_remarks,omitempty"`
	Ported          string `json:"ported,omitempty"`
	PortedRange     string `json:"ported_range,omitempty"`
	Disconnect      string `json:"disconnect,omitempty"`
	DisconnectRange string `json:"disconnect_range,omitempty"`
}

// Pack turns the records into bytes for the ledger; nil for none. The same records make the same bytes, in every binary of
// this version: the ledger compares bytes to see whether the records have changed.
func Pack(records []carrier.Reject) ([]byte, error) {
	if len(records) == 0 {
		return nil, nil
	}
	p := packed{Version: version}
	for _, r := range records {
		p.Records = append(p.Records, packedRecord{
			Code:            r.Code,
			Form:            r.Form,
			Field:           r.Field,
			Remarks:         r.Remarks,
			RejectRemarks:   r.RejectRemarks,
			Ported:          r.Ported,
			PortedRange:     r.PortedRange,
			Disconnect:      r.Disconnect,
			DisconnectRange: r.DiscRange,
		})
	}
	return json.Marshal(p)
}

// Unpack reads what Pack wrote; no bytes are no records. Fields that a later binary added are passed over. Bytes of a
// later version, and bytes that Pack never wrote, are an error, which quotes none of them.
func Unpack(kept []byte) ([]carrier.Reject, error) {
	if len(kept) == 0 {
		return nil, nil
	}
	var p packed
	// The version is read alone first: of a later one, even the types may differ.
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(kept, &head); err != nil || head.Version < 1 {
		return nil, errBroken
	}
	if head.Version > version {
		return nil, fmt.Errorf("reject: the packed records are of version %d; this binary reads up to %d", head.Version, version)
	}
	if err := json.Unmarshal(kept, &p); err != nil || len(p.Records) == 0 {
		return nil, errBroken
	}
	records := make([]carrier.Reject, 0, len(p.Records))
	for _, r := range p.Records {
		records = append(records, carrier.Reject{
			Code:          r.Code,
			Form:          r.Form,
			Field:         r.Field,
			Remarks:       r.Remarks,
			RejectRemarks: r.RejectRemarks,
			Ported:        r.Ported,
			PortedRange:   r.PortedRange,
			Disconnect:    r.Disconnect,
			DiscRange:     r.DisconnectRange,
		})
	}
	return records, nil
}

// Same reports whether packed records are these, in whatever order.
func Same(kept []byte, records []carrier.Reject) bool {
	before, err := Unpack(kept)
	if err != nil || len(before) != len(records) {
		return false
	}
	missing := map[carrier.Reject]int{}
	for _, r := range before {
		missing[r]++
	}
	for _, r := range records {
		if missing[r] == 0 {
			return false
		}
		missing[r]--
	}
	return true
}
