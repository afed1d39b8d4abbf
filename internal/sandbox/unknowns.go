package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Unknowns are the positions of the sandbox on what nobody knows of the carrier.
// Each field is one question, and the zero value answers each with the first
// constant of its type. A service that is right under one position only is
// built on a guess: run its tests under AllUnknowns.
type Unknowns struct {
	// TicketID: is the TicketMask of an order's reply the ticket id of its status?
	TicketID TicketID
	// Deferred: has a reply of Deferred or Conditional a ticket?
	Deferred DeferredTicket
	// ByNumber: which ticket answers for a number that several have?
	ByNumber ByNumber
	// Numbers: does a status list the numbers of its order?
	Numbers StatusNumbers
	// None: what does "no such port-in" look like?
	None NoneAnswer
	// VisibleAfter: how long after an order can its ticket be seen at all? Not
	// negative.
	VisibleAfter time.Duration
	// BusinessGroup: is a BusinessGroupSubscriptionID an ID of GET /BusinessGroups?
	BusinessGroup BusinessGroupID
}

// TicketID says how TicketMask and the ticket id of a status stand to each other.
type TicketID string

// The positions of Unknowns.TicketID.
const (
	TicketIDSame  TicketID = "same"  // they are equal
	TicketIDAlias TicketID = "alias" // they differ, and a status can be asked for by both
	TicketIDOther TicketID = "other" // they differ, and the TicketMask finds no status
)

// DeferredTicket says what becomes of the ticket of a Deferred or Conditional
// reply.
type DeferredTicket string

// The positions of Unknowns.Deferred.
const (
	DeferredTicketed DeferredTicket = "ticket"  // TicketMask names it
	DeferredEmpty    DeferredTicket = "empty"   // there is a ticket, TicketMask is ""
	DeferredMissing  DeferredTicket = "missing" // there is a ticket, TicketMask is left out
	DeferredNever    DeferredTicket = "never"   // there is no ticket, TicketMask is ""
)

// ByNumber says which ticket a status by number answers with.
type ByNumber string

// The positions of Unknowns.ByNumber.
const (
	ByNumberNewest ByNumber = "newest"
	ByNumberOldest ByNumber = "oldest"
	ByNumberAny    ByNumber = "any" // another at each look, by Config.Seed
)

// StatusNumbers says what the NumbersToPort of a status is.
type StatusNumbers string

// The positions of Unknowns.Numbers.
const (
	NumbersListed StatusNumbers = "listed"
	NumbersAbsent StatusNumbers = "absent" // the member is left out
	NumbersEmpty  StatusNumbers = "empty"  // the list is empty
)

// NoneAnswer says how a status that does not exist is answered.
type NoneAnswer string

// The positions of Unknowns.None.
const (
	NoneNotFound NoneAnswer = "404"   // 404 with an Exception
	NoneBlank    NoneAnswer = "blank" // 200 with a status whose word is ""
	NoneEmpty    NoneAnswer = "empty" // 200 without a body
	NoneNull     NoneAnswer = "null"  // 200 with null
	NoneHTML     NoneAnswer = "html"  // 404 with an HTML page
)

// BusinessGroupID says what a BusinessGroupSubscriptionID has to be.
type BusinessGroupID string

// The positions of Unknowns.BusinessGroup.
const (
	BusinessGroupSame  BusinessGroupID = "same"  // an ID of GET /BusinessGroups
	BusinessGroupOther BusinessGroupID = "other" // another id, which no operation answers
)

// NamedUnknowns is one position of all switches, with a name fit for a subtest.
type NamedUnknowns struct {
	Name     string
	Unknowns Unknowns
}

// harsh are positions that are worse together than alone.
var harsh = []string{
	"ticket_id=other,deferred=missing,by_number=oldest,numbers=absent,none=html,visible_after=10m,business_group=other",
	"ticket_id=other,deferred=never,by_number=any,numbers=empty,none=null,visible_after=45m,business_group=other",
	"ticket_id=alias,deferred=empty,by_number=any,none=blank,visible_after=10m",
}

// AllUnknowns is the matrix for a test suite: the defaults, every other position
// of every switch by itself, and a few that are worse together.
func AllUnknowns() []NamedUnknowns {
	texts := []string{""}
	for _, s := range switches {
		for _, p := range s.positions[1:] {
			texts = append(texts, s.key+"="+p.value)
		}
	}
	texts = append(texts, harsh...)
	all := make([]NamedUnknowns, len(texts))
	for i, text := range texts {
		u, err := ParseUnknowns(text)
		if err != nil {
			panic(err) // a mistake in the tables above, which a test finds
		}
		all[i] = NamedUnknowns{Name: u.String(), Unknowns: u}
	}
	return all
}

// ParseUnknowns reads positions as a command line has them, for example
// "none=html,visible_after=10m". Switches that are not named stand at their
// default; "" and "defaults" name none.
func ParseUnknowns(text string) (Unknowns, error) {
	var u Unknowns
	if text = strings.TrimSpace(text); text == "" || text == "defaults" {
		return u.withDefaults(), nil
	}
	var named []string
	for setting := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(setting), "=")
		if slices.Contains(named, key) {
			return Unknowns{}, fmt.Errorf("sandbox: the switch %q is named twice", key)
		}
		named = append(named, key)
		if err := u.set(key, value); err != nil {
			return Unknowns{}, err
		}
	}
	return u.withDefaults(), nil
}

// String is the text that ParseUnknowns reads back: the switches that do not
// stand at their default, or "defaults".
func (u Unknowns) String() string {
	var settings []string
	for _, s := range switches {
		if value := s.get(u); value != s.get(Unknowns{}.withDefaults()) && value != "" {
			settings = append(settings, s.key+"="+value)
		}
	}
	if len(settings) == 0 {
		return "defaults"
	}
	return strings.Join(settings, ",")
}
