package sandbox

import (
	"fmt"
	"strings"
)

// rejectDetail is one record of the losing carrier. Its member names have spaces
// and # in them, and no record has all of them.
type rejectDetail struct {
	Disconnect      string `json:"DISC #,omitempty"`
	DisconnectRange string `json:"DISC # RANGE,omitempty"`
	Field           string `json:"FLD ABBR,omitempty"`
	Form            string `json:"FORM,omitempty"`
	Ported          string `json:"PORTED #,omitempty"`
	PortedRange     string `json:"PORTED # RANGE,omitempty"`
	Remarks         string `json:"REMARKS,omitempty"`
	Code            string `json:"RJCT CODE,omitempty"`
	RejectRemarks   string `json:"RJCT REMARKS,omitempty"`
}

// rejectDetails are the records of every rejection: one about the account, one
// about a range of numbers, and one with a code and a field that no table has.
func (t *ticket) rejectDetails() []rejectDetail {
	first, last := t.numbers[0], t.numbers[len(t.numbers)-1]
	lastFour := fmt.Sprintf("%04d", last%10_000)
	return []rejectDetail{
		{Code: "AN", Form: "LSR", Field: "AN", RejectRemarks: "Account number does not match the record"},
		{
			Code: "TN", Form: "NP", Field: "PORTED NBR", Ported: dashed(first), PortedRange: lastFour,
			Disconnect: dashed(first), DisconnectRange: lastFour, Remarks: "Call the customer",
			RejectRemarks: "Number is not on this account",
		},
		{Code: "ZZ", Form: "EU", Field: "XQ9", RejectRemarks: "Motif non répertorié"},
	}
}

// rejectReason is the text of the first record, rejectSummary of up to five.
func (t *ticket) rejectReason() string { return t.rejectDetails()[0].RejectRemarks }

func (t *ticket) rejectSummary(disputing bool) string {
	var lines []string
	for _, d := range t.rejectDetails() {
		lines = append(lines, d.Code+": "+d.RejectRemarks)
	}
	if disputing {
		lines = append(lines, "The porting team disputes this rejection.")
	}
	return strings.Join(lines, "\n")
}

// dashed writes a number as NNN-NNN-NNNN.
func dashed(n int64) string {
	return fmt.Sprintf("%03d-%03d-%04d", n/10_000_000, n/10_000%1000, n%10_000)
}
