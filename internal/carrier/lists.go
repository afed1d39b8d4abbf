package carrier

import "time"

// The lists of the carrier, in our own names. Every value is what the carrier says for the account of the credentials.

// Trunk is a SIP trunk of the account.
type Trunk struct {
	// Pilot is the pilot number, ten digits.
	Pilot int64
	// Label is empty when the trunk has none.
	Label string
}

// Text is a text in the carrier's two languages.
type Text struct {
	En, Fr string
}

// Offering is something that a port-in can order.
type Offering struct {
	ID   string
	Name Text
	// Type is the carrier's product type, 1 to 7 so far.
	Type int
	// Parents are the candidates for the parent of a child product.
	Parents []Subscription
}

// Subscription is a service of the account.
type Subscription struct {
	ID      string
	Name    string
	Product Text
}

// Provider is another carrier.
type Provider struct {
	ID   int32
	Name string
}

// BusinessGroup is a business group of the account.
type BusinessGroup struct {
	ID, Name string
}

// PlanKind says what a plan is for.
type PlanKind uint8

// The kinds of plan, each a list of its own at the carrier.
const (
	ResidentialPlan PlanKind = iota + 1
	BusinessPlan
	CallForwardPlan
)

// Plan is a plan of a line or of a permanent call forward.
type Plan struct {
	ID   string
	Name string
	// Account is the account code that the plan belongs to.
	Account int64
	// MonthlyPrice is the number as the carrier wrote it, "19.95".
	MonthlyPrice string
	Enabled      bool
}

// Holiday is a day on which the carrier does not port.
type Holiday struct {
	// Date is as the carrier wrote it.
	Date string
	Name string
}

// RateCenter is a rate centre that numbers can be ported from.
type RateCenter struct {
	Name, Country, NetworkType string
	LNP, Local, OnNet          bool
}

// Portability is the carrier's answer to whether a number or a prefix can be ported in.
type Portability struct {
	// Number is what was asked about, six to ten digits.
	Number  int64
	Reply   Reply
	Message string
}

// Status is what the carrier says about a port-in.
type Status struct {
	// Ticket is the carrier's TicketId; empty when it did not say.
	Ticket string
	// Word is the status as it came; it may be one that nobody knows.
	Word string
	// Validated is false for a provisional status.
	Validated bool
	// Disputing is nil when the carrier did not say.
	Disputing *bool
	// Numbers are ten digits each; empty when the carrier did not say.
	Numbers []int64
	// PortDate is YYYYMMDD as the carrier writes it; empty when there is none.
	PortDate      string
	RejectReason  string
	RejectSummary string
	Rejects       []Reject
	EndUserName   string
	AccountNumber string
	Reseller      string
}

// Disputed reports whether the porting team disputes a rejection, as far as the carrier said.
func (s Status) Disputed() bool { return s.Disputing != nil && *s.Disputing }

// Day is the day of the port, YYYY-MM-DD; what is no day is left as it came.
func (s Status) Day() string {
	d, err := time.Parse("20060102", s.PortDate)
	if err != nil {
		return s.PortDate
	}
	return d.Format(time.DateOnly)
}

// Reject is one reject record of the losing carrier.
type Reject struct {
	Code, Form, Field      string
	Remarks, RejectRemarks string
	Ported, PortedRange    string
	Disconnect, DiscRange  string
}
