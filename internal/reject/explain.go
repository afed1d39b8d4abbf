// Package reject says what the records of a losing carrier's reject mean: what is wrong, in neutral words, which field of
// the order it is about, who has to act, and what to collect. What it knows is data, table.yaml; docs/rejects.md explains it.
//
// It promises that every record comes out, in its place and as it came, beside what is said of it, and that what is said
// holds nothing of an order. It refuses to guess: a code that the table does not have means nothing, remarks are for people
// and never searched for words, and a record that contradicts itself is OTHER. A wrong reason costs a customer weeks.
package reject

import (
	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/nanp"
)

// Explain says what each record means, in their order; nil for none. It may be called from everywhere at once, and the
// messages are the caller's own.
func Explain(records []carrier.Reject) []*portinv1.Reject {
	var explained []*portinv1.Reject
	for _, r := range records {
		explained = append(explained, known.explain(r))
	}
	return explained
}

// explain puts beside a record what the table says of it.
func (t table) explain(r carrier.Reject) *portinv1.Reject {
	m := t.meaning(r)
	out := &portinv1.Reject{
		Reason:  m.reason,
		Field:   m.field,
		Party:   m.party,
		Text:    m.text.message(),
		Collect: m.collect.message(),
		Record: &portinv1.RejectRecord{
			Code:                  r.Code,
			Form:                  r.Form,
			FieldAbbreviation:     r.Field,
			Remarks:               r.Remarks,
			RejectRemarks:         r.RejectRemarks,
			PortedNumber:          e164(r.Ported),
			PortedNumberRange:     r.PortedRange,
			DisconnectNumber:      e164(r.Disconnect),
			DisconnectNumberRange: r.DiscRange,
		},
	}
	if m.resending != nil {
		out.ResendingHelps = new(*m.resending)
	}
	return out
}

// meaning decides what a record means. A code says what is wrong and a field where; the closer an entry describes the record,
// the sooner it counts. An unknown code leaves the field to speak, and an unknown field the code. Where both are known and
// no entry has them together, they have to agree: of two reasons neither is believed.
func (t table) meaning(r carrier.Reject) meaning {
	code, form, field := foldCode(r.Code), fold(r.Form), fold(r.Field)
	if code != "" && field != "" {
		if m, ok := t.find(key{code, form, field}); ok {
			return m
		}
	}
	byCode, codeKnown := t.find(key{code: code, form: form})
	byField, fieldKnown := t.find(key{form: form, field: field})
	switch {
	case !codeKnown && !fieldKnown:
		return t.unknown
	case !codeKnown:
		return byField
	case !fieldKnown, byField.reason == t.unknown.reason:
		return byCode
	case byCode.reason == byField.reason, byCode.reason == t.unknown.reason:
		return byField // The field's own path is the closer one: the street, not the address.
	}
	return t.unknown
}

// find looks for an entry of this form, then for one of any form. A form alone says too little to be an entry.
func (t table) find(k key) (meaning, bool) {
	if m, ok := t.meanings[k]; ok {
		return m, true
	}
	k.form = ""
	m, ok := t.meanings[k]
	return m, ok
}

// message is the text as the contract has it, a new message each time; nil when there is none.
func (w wording) message() *portinv1.LocalizedText {
	if w == (wording{}) {
		return nil
	}
	return &portinv1.LocalizedText{En: w.English, Fr: w.French}
}

// e164 writes a number as every answer has it, and leaves what is no number as it came.
func e164(s string) string {
	if n, ok := nanp.Parse(s); ok {
		return n.E164()
	}
	return s
}
