package product

import (
	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
)

// line is what residential and business lines share. The pointers lead into the order.
type line struct {
	number       *string
	account      *int64
	planID       string
	locale       portinv1.Locale
	secondLocale portinv1.SecondLocale
	label        *string // from here on nil is absent
	email        *string
	callerID     *string
	callerName   *string
	forwardTo    *string
	forwardDelay *int32
	sipPassword  *string
	webPassword  *string
}

// wireLine are the members that the carrier's ResidentialLineOrder and BusinessLineOrder share.
type wireLine struct {
	Account              int64      `json:"Account"`
	CallForwardingDelay  *int32     `json:"CallForwardingDelay,omitempty"`
	CallForwardingNumber *int64     `json:"CallForwardingNumber,omitempty"`
	CallerID             *int64     `json:"CallerID,omitempty"`
	CallerName           *string    `json:"CallerName,omitempty"`
	Email                *string    `json:"Email,omitempty"`
	Label                *string    `json:"Label,omitempty"`
	Locale               int        `json:"Locale"`
	Number               wireNumber `json:"Number"`
	PlanID               string     `json:"PlanID"`
	SecondLocale         int        `json:"SecondLocale"`
	SipPassword          *string    `json:"SipPassword,omitempty"`
	WebSelfCarePassword  *string    `json:"WebSelfCarePassword,omitempty"`
}

// The carrier's numbers of the languages. Ours begin at 1, so that a language that nobody set is not EnglishUS.
var wireLocales = map[portinv1.Locale]int{
	portinv1.Locale_LOCALE_ENGLISH_US:            0,
	portinv1.Locale_LOCALE_ENGLISH_UK:            1,
	portinv1.Locale_LOCALE_ENGLISH_CA:            2,
	portinv1.Locale_LOCALE_USER_DEFINED_1:        3,
	portinv1.Locale_LOCALE_USER_DEFINED_2:        4,
	portinv1.Locale_LOCALE_FRENCH_CA:             5,
	portinv1.Locale_LOCALE_SPANISH_LATIN_AMERICA: 6,
}

// NONE is the carrier's 9, with a gap before it.
var wireSecondLocales = map[portinv1.SecondLocale]int{
	portinv1.SecondLocale_SECOND_LOCALE_ENGLISH_US:            0,
	portinv1.SecondLocale_SECOND_LOCALE_ENGLISH_UK:            1,
	portinv1.SecondLocale_SECOND_LOCALE_ENGLISH_CA:            2,
	portinv1.SecondLocale_SECOND_LOCALE_USER_DEFINED_1:        3,
	portinv1.SecondLocale_SECOND_LOCALE_USER_DEFINED_2:        4,
	portinv1.SecondLocale_SECOND_LOCALE_FRENCH_CA:             5,
	portinv1.SecondLocale_SECOND_LOCALE_SPANISH_LATIN_AMERICA: 6,
	portinv1.SecondLocale_SECOND_LOCALE_NONE:                  9,
}

// withLines gives a spec what both targets of lines have. A line's plan is of the kind of its target, and its calls may go
// on to another number, which must not lead back.
func withLines(s Spec, kind carrier.PlanKind, read func(*portinv1.PortInOrder) []line) Spec {
	list := s.field() + ".lines"
	s.phones = func(o *portinv1.PortInOrder) []phone {
		var phones []phone
		for i, l := range read(o) {
			phones = append(phones, phone{at: entry(list, i, "number"), value: l.number, role: ported})
			phones = append(phones, phoneIf(entry(list, i, "caller_id"), l.callerID, mentioned, nil)...)
			phones = append(phones, phoneIf(entry(list, i, "call_forwarding_number"), l.forwardTo, forwarded, l.number)...)
		}
		return phones
	}
	s.references = func(o *portinv1.PortInOrder) []Reference {
		var refs []Reference
		for i, l := range read(o) {
			// Without an account the plan cannot be looked up; that it is missing is a violation.
			if l.account != nil {
				refs = append(refs, Reference{
					Field: entry(list, i, "plan_id").String(), Kind: Plan, Value: l.planID, Plan: kind, Account: *l.account,
				})
			}
		}
		return refs
	}
	s.doubts = func(o *portinv1.PortInOrder, d *doubts) { d.lines(list, read(o)) }
	return s
}

// wireLine writes what the lines of both kinds have. Passwords go out exactly as they came in.
func (e *encoder) wireLine(list string, i int, l line) wireLine {
	// By table, never by arithmetic: a language that the contract gains must not become the carrier's next number.
	locale, ok := wireLocales[l.locale]
	if !ok {
		e.fail(entry(list, i, "locale"), "is not a language of the carrier")
	}
	second, ok := wireSecondLocales[l.secondLocale]
	if !ok {
		e.fail(entry(list, i, "second_locale"), "is not a language of the carrier")
	}
	return wireLine{
		Account:              must(e, entry(list, i, "account"), l.account),
		CallForwardingDelay:  l.forwardDelay,
		CallForwardingNumber: e.numberIf(entry(list, i, "call_forwarding_number"), l.forwardTo),
		CallerID:             e.numberIf(entry(list, i, "caller_id"), l.callerID),
		CallerName:           l.callerName,
		Email:                l.email,
		Label:                l.label,
		Locale:               locale,
		Number:               wireNumber{e.number(entry(list, i, "number"), *l.number)},
		PlanID:               l.planID,
		SecondLocale:         second,
		SipPassword:          l.sipPassword,
		WebSelfCarePassword:  l.webPassword,
	}
}

// lines doubts a second language that is the first one, and a delay of a forward that is not there. The carrier would
// take both.
func (d *doubts) lines(list string, lines []line) {
	for i, l := range lines {
		first, known := wireLocales[l.locale]
		if second, ok := wireSecondLocales[l.secondLocale]; known && ok && first == second {
			d.ambiguous(entry(list, i, "second_locale"), "is the first language again; NONE says that there is no second one")
		}
		if l.forwardDelay != nil && l.forwardTo == nil {
			d.ambiguous(entry(list, i, "call_forwarding_delay"), "has no call forwarding number beside it")
		}
	}
}
