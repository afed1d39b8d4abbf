package sandbox

import (
	"fmt"
	"strings"
)

// choice is what an order meets: an outcome, and the scenario of the ticket that
// it may make. It is written as the name of either, or of both joined with "+";
// "+ticket" and "+noticket" turn round whether the outcome makes a ticket:
//
//	timeout-after-body   hold   empty-503+ticket   cut-after-ticket+disputed
type choice struct {
	outcome  Outcome
	scenario Scenario
	ticket   bool
}

func defaultChoice() choice {
	return choice{outcome: outcomes()[0], scenario: scenarios()[0], ticket: outcomes()[0].Ticket}
}

func parseChoice(text string) (choice, error) {
	chosen := defaultChoice()
	var turned *bool
	for name := range strings.SplitSeq(text, "+") {
		if outcome, ok := outcomeNamed(name); ok {
			chosen.outcome, chosen.ticket = outcome, outcome.Ticket
		} else if scenario, ok := scenarioNamed(name); ok {
			chosen.scenario = scenario
		} else if name == "ticket" || name == "noticket" {
			made := name == "ticket"
			turned = &made
		} else {
			return choice{}, fmt.Errorf("sandbox: there is no outcome or scenario %q", name)
		}
	}
	if turned == nil {
		return chosen, nil
	}
	if chosen.outcome.is(ticketFixed) {
		return choice{}, fmt.Errorf("sandbox: whether the outcome %q makes a ticket cannot be chosen", chosen.outcome.Name)
	}
	chosen.ticket = *turned
	return chosen, nil
}

// String is the text that parseChoice reads back.
func (ch choice) String() string {
	text := ch.outcome.Name
	if ch.scenario.Name != scenarios()[0].Name {
		text += "+" + ch.scenario.Name
	}
	switch {
	case ch.ticket == ch.outcome.Ticket:
		return text
	case ch.ticket:
		return text + "+ticket"
	}
	return text + "+noticket"
}

// namePrefix begins the CustomerName that selects an outcome or a scenario.
const namePrefix = "Sandbox "

// chosenBy is what an order asks for itself: by its CustomerName, or by the last
// two digits of its first number.
func chosenBy(o *order) (choice, error) {
	if text, ok := strings.CutPrefix(o.form.text("CustomerName"), namePrefix); ok {
		if chosen, err := parseChoice(text); err == nil {
			if chosen.outcome.is(beforeBody) {
				return choice{}, violate("PortForm.CustomerName", "the outcome %s comes before the body is read: it can only be scripted", chosen.outcome.Name)
			}
			return chosen, nil
		}
	}
	if digits := reservedDigits(o.numbers()[0]); digits != 0 {
		return chosenByDigits(digits), nil
	}
	return defaultChoice(), nil
}

func chosenByDigits(digits int) choice {
	chosen := defaultChoice()
	for _, outcome := range outcomes() {
		if outcome.Digits == digits {
			chosen.outcome, chosen.ticket = outcome, outcome.Ticket
		}
	}
	for _, scenario := range scenarios() {
		if scenario.Digits == digits {
			chosen.scenario = scenario
		}
	}
	return chosen
}
