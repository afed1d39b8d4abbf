package sandbox

import (
	"slices"
	"sync"
	"time"
)

// Scenario is how the status of a ticket moves by itself. Times count from the
// order; a step at the port happens on the port date.
type Scenario struct {
	// Name selects it: in Next, or as the CustomerName "Sandbox <name>".
	Name string
	// Digits selects it too: the last two of a first number 555-0190 to 555-0199.
	// Zero for a scenario that no number selects.
	Digits int
	// Says is one line for the documentation.
	Says string

	steps []step
}

// step is one status of a scenario.
type step struct {
	after     time.Duration // since the order
	atPort    bool          // at the port instead
	word      string        // the carrier's status
	disputing bool
	validated bool // ValidationLSC
	shift     int  // days between the date asked for and PortDate
	dated     bool // PortDate is known
	fewer     bool // the last number no longer takes part, if there are several
}

const (
	submitAfter  = time.Hour       // PENDING becomes SUBMITTED
	decideAfter  = 48 * time.Hour  // the losing carrier answers
	followAfter  = 72 * time.Hour  // what comes after that answer
	portAfter    = 240 * time.Hour // the port, when no date is asked for
	expireAfter  = 720 * time.Hour
	endOfWorkDay = 22 * time.Hour // of the port date in UTC: it ends in Eastern time
	shiftDays    = 7
)

// scenarios are all of them, the default first.
var scenarios = sync.OnceValue(func() []Scenario {
	// Steps that several scenarios share.
	pending := step{word: "PENDING"}
	submitted := step{word: "SUBMITTED", after: submitAfter}
	confirmed := step{word: "CONFIRMED", after: decideAfter, validated: true, dated: true}
	completed := step{word: "COMPLETED", atPort: true, validated: true, dated: true}
	later := step{word: "COMPLETED", atPort: true, validated: true, dated: true, shift: shiftDays}
	rejected := step{word: "REJECTED", after: decideAfter, validated: true}

	return []Scenario{
		{"completes", 0, "PENDING, SUBMITTED after 1 h, CONFIRMED after 48 h, COMPLETED at the port", []step{
			pending, submitted, confirmed, completed,
		}},
		{"stays-pending", 0, "PENDING for ever", []step{pending}},
		{"stays-submitted", 0, "SUBMITTED after 1 h, for ever", []step{pending, submitted}},
		{"provisional", 0, "CONFIRMED after 48 h with ValidationLSC false, validated after 72 h, COMPLETED at the port", []step{
			pending, submitted,
			{word: "CONFIRMED", after: decideAfter, dated: true},
			{word: "CONFIRMED", after: followAfter, validated: true, dated: true},
			completed,
		}},
		{"date-change", 90, "CONFIRMEDwDATECHANGE after 48 h, 7 days later than asked, then COMPLETED", []step{
			pending, submitted, {word: "CONFIRMEDwDATECHANGE", after: decideAfter, validated: true, dated: true, shift: shiftDays}, later,
		}},
		{"exception", 91, "CONFIRMEDwEXCEPTION after 48 h, for ever", []step{
			pending, submitted, {word: "CONFIRMEDwEXCEPTION", after: decideAfter, validated: true, dated: true},
		}},
		{"hold", 92, "HOLD after 48 h, for ever", []step{
			pending, submitted, {word: "HOLD", after: decideAfter, validated: true},
		}},
		{"rescheduled", 93, "CONFIRMED after 48 h, RESCHEDULED after 72 h by 7 days, then COMPLETED", []step{
			pending, submitted, confirmed,
			{word: "RESCHEDULED", after: followAfter, validated: true, dated: true, shift: shiftDays},
			later,
		}},
		{"rejected-by-carrier", 94, "REJECTED after 48 h with three reject records, for ever", []step{
			pending, submitted, rejected,
		}},
		{"disputed", 95, "REJECTED and disputed after 48 h, CONFIRMED after 120 h, COMPLETED at the port", []step{
			pending, submitted,
			{word: "REJECTED", after: decideAfter, disputing: true, validated: true},
			{word: "CONFIRMED", after: 120 * time.Hour, validated: true, dated: true},
			completed,
		}},
		{"corrected", 0, "REJECTED after 48 h, SUBMITTED again after 72 h, CONFIRMED after 120 h, COMPLETED at the port", []step{
			pending, submitted, rejected,
			{word: "SUBMITTED", after: followAfter},
			{word: "CONFIRMED", after: 120 * time.Hour, validated: true, dated: true},
			completed,
		}},
		{"cancelled", 96, "CANCELLATIONPENDING after 48 h, CANCELLED after 72 h", []step{
			pending, submitted,
			{word: "CANCELLATIONPENDING", after: decideAfter, validated: true},
			{word: "CANCELLED", after: followAfter, validated: true},
		}},
		{"cancelled-in-part", 97, "PARTIALCANCELLATION after 48 h without the last number, COMPLETED at the port", []step{
			pending, submitted,
			{word: "PARTIALCANCELLATION", after: decideAfter, validated: true, dated: true, fewer: true},
			{word: "COMPLETED", atPort: true, validated: true, dated: true, fewer: true},
		}},
		{"cancelled-in-full", 0, "CANCELLATIONPENDING after 48 h, FULLCANCELLATION after 72 h", []step{
			pending, submitted,
			{word: "CANCELLATIONPENDING", after: decideAfter, validated: true},
			{word: "FULLCANCELLATION", after: followAfter, validated: true},
		}},
		{"expired", 98, "EXPIRED after 720 h", []step{
			pending, submitted, {word: "EXPIRED", after: expireAfter, validated: true},
		}},
		{"unknown-word", 99, "ESCALATED after 48 h, a word that the specification does not have", []step{
			pending, submitted, {word: "ESCALATED", after: decideAfter, validated: true},
		}},
	}
})

// Scenarios lists every scenario, the default first.
func Scenarios() []Scenario { return slices.Clone(scenarios()) }

func scenarioNamed(name string) (Scenario, bool) {
	for _, s := range scenarios() {
		if s.Name == name {
			return s, true
		}
	}
	return Scenario{}, false
}
