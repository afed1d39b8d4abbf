package sandbox

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// help is the page at /_sandbox/: everything that the tables of this package
// have, read from them when it is asked for.
func (c *Carrier) help() string {
	var page strings.Builder
	fmt.Fprintf(&page, helpIntroduction, BasePath, namePrefix)
	helpSection(&page, "OUTCOMES (digits, name, ticket made, what the client meets)", helpOutcomes())
	helpSection(&page, "SCENARIOS (digits, name, what the status does)", helpScenarios())
	helpSection(&page, "SWITCHES (what nobody knows of the carrier; the first position is the default)", helpSwitches())
	helpSection(&page, "CATALOGUE", c.helpCatalogue())
	helpSection(&page, "PREFIXES THAT CAN BE PORTED IN", c.helpPrefixes())
	helpSection(&page, "CONTROL PATHS", helpControl())
	return page.String()
}

const helpIntroduction = `SANDBOX CARRIER

The carrier's API is below %s, with HTTP Basic authentication. An order is
checked first: a body that the carrier's schema or its rules do not allow is
answered with 400, whatever the order asks for here. A legal order is accepted,
unless it chooses something else:

  by number   the first number to port is 555-0150 to 555-0199 in any area code;
              its last two digits are the digits below
  by name     CustomerName is "%s<name>", for example "Sandbox slow"
  by script   POST /_sandbox/next {"outcomes":["<name>"]}, for the next orders

A script goes before a name and a name before a number. A name is that of an
outcome, of a scenario, or of both joined with "+"; "+ticket" and "+noticket" turn
round whether a ticket is made: "timeout-after-body+hold", "empty-503+ticket".
`

// helpSection writes rows with their columns in line; cells are parted by tabs.
func helpSection(page *strings.Builder, title string, rows []string) {
	fmt.Fprintf(page, "\n%s\n", title)
	columns := tabwriter.NewWriter(page, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintf(columns, "  %s\n", row)
	}
	_ = columns.Flush() // a strings.Builder takes everything
}

func helpOutcomes() []string {
	var rows []string
	for _, o := range outcomes() {
		made := "no"
		switch {
		case o.is(maybeTicket):
			made = "by switch"
		case o.Ticket:
			made = "yes"
		}
		says := o.Says
		if o.is(beforeBody) {
			says += "; by script only"
		}
		rows = append(rows, strings.Join([]string{digitsOf(o.Digits), o.Name, made, says}, "\t"))
	}
	return rows
}

func helpScenarios() []string {
	var rows []string
	for _, s := range scenarios() {
		rows = append(rows, strings.Join([]string{digitsOf(s.Digits), s.Name, s.Says}, "\t"))
	}
	return append(rows,
		"",
		"The port is at 22:00 UTC of the RequestedPortDate, but not sooner than 72 h after the",
		"order; without a date it is 240 h after the order.")
}

func digitsOf(digits int) string {
	if digits == 0 {
		return "-"
	}
	return strconv.Itoa(digits)
}

func helpSwitches() []string {
	var rows []string
	for _, s := range switches {
		rows = append(rows, s.key+"\t"+s.asks)
		for _, p := range s.positions {
			rows = append(rows, "  "+p.value+"\t"+p.says)
		}
	}
	return rows
}

func helpControl() []string {
	var rows []string
	for _, route := range controlRoutes() {
		rows = append(rows, strings.Join([]string{route.method, route.path, route.says}, "\t"))
	}
	return append(rows, "GET\t"+bodyPath+"\tthe bytes of one body")
}

// helpCatalogue lists what an order may refer to.
func (c *Carrier) helpCatalogue() []string {
	k := c.catalogue
	rows := []string{fmt.Sprintf("Account\t%d", k.account)}
	add := func(kind string, id any, name string) {
		rows = append(rows, fmt.Sprintf("%s\t%v\t%s", kind, id, name))
	}
	for _, t := range k.trunks {
		add("PilotNumber", t.Number, t.Label)
	}
	for _, o := range k.offerings {
		add("OfferingID", o.OfferingID, fmt.Sprintf("type %d, %s", o.Type, o.ProductName.En))
		for _, s := range o.PotentialParentSubscriptions {
			add("ParentSubscriptionID", s.SubscriptionID, fmt.Sprintf("for %s, %s", o.OfferingID, s.Name))
		}
	}
	for _, p := range k.providers {
		add("CurrentProvider", p.ID, p.Name)
	}
	for _, g := range k.groups {
		add("BusinessGroupID", g.ID, g.Name)
		add("BusinessGroupSubscriptionID", g.subscription, "when the switch business_group stands at other")
	}
	for _, kind := range []int{typeResidentialLine, typeBusinessLine, typePermanentCallForward} {
		for _, p := range k.plansFor(kind) {
			name := fmt.Sprintf("for offering type %d, %s", kind, p.Name)
			if !p.Enabled {
				name += " (not enabled: refused)"
			}
			add("PlanID", p.ID, name)
		}
	}
	for _, r := range k.rateCentres {
		add("RateCenterName", r.Name, r.Country)
	}
	return rows
}

// helpPrefixes lists the prefixes that can be ported in, ten in a row.
func (c *Carrier) helpPrefixes() []string {
	var rows []string
	for row := range slices.Chunk(c.catalogue.prefixes, 10) {
		rows = append(rows, strings.Trim(fmt.Sprint(row), "[]"))
	}
	return rows
}
