package sandbox

import (
	"fmt"
	"slices"
	"time"
)

// Ticket is a port-in order that the sandbox holds, as it stood when asked for.
type Ticket struct {
	// ID is the ticket id of its status, TicketMask the one of the order's reply.
	// They differ under some positions of Unknowns.TicketID.
	ID         string    `json:"id"`
	TicketMask string    `json:"ticket_mask"`
	Path       string    `json:"path"` // of the operation, "" when it was placed elsewhere
	Numbers    []int64   `json:"numbers"`
	Opened     time.Time `json:"opened"`
	Scenario   string    `json:"scenario"`
	Status     string    `json:"status"`
}

// StatusChange sets a ticket's status by hand; its scenario ends there.
type StatusChange struct {
	// Status is the carrier's word or any other. REJECTED brings its reject
	// records along.
	Status string `json:"status"`
	// Disputing goes with REJECTED.
	Disputing bool `json:"disputing"`
	// Provisional makes ValidationLSC false.
	Provisional bool `json:"provisional"`
	// PortDate is YYYYMMDD; "" leaves the member out.
	PortDate string `json:"port_date"`
}

// ticket is one order in the store.
type ticket struct {
	seq      int
	id, mask string
	owner    string // the user name of the account that has it
	path     string
	opened   time.Time
	scenario Scenario
	byHand   *StatusChange

	numbers   []int64
	account   string
	endUser   string
	reseller  string
	requested string // RequestedPortDate, "" when not asked for
}

// tickets is the store. Its owner serialises access.
type tickets struct {
	inOrder  []*ticket
	byID     map[string]*ticket // by id and by mask
	byNumber map[int64][]*ticket
}

func newTickets() tickets {
	return tickets{byID: map[string]*ticket{}, byNumber: map[int64][]*ticket{}}
}

// add files a ticket, complete with its ids and numbers.
func (s *tickets) add(t *ticket) {
	s.inOrder = append(s.inOrder, t)
	s.byID[t.id], s.byID[t.mask] = t, t
	for _, n := range t.numbers {
		s.byNumber[n] = append(s.byNumber[n], t)
	}
}

// find looks a ticket up by its id, and by its mask if masks find anything.
func (s *tickets) find(id string, masks bool) *ticket {
	t := s.byID[id]
	if t == nil || t.id != id && !masks {
		return nil
	}
	return t
}

// ids makes the two ids of the seq-th ticket of a run.
func ids(run string, seq int, kind TicketID) (id, mask string) {
	id = fmt.Sprintf("SANDBOX-%s-%d", run, seq)
	if kind == TicketIDSame {
		return id, id
	}
	return id, fmt.Sprintf("SANDBOX-M-%s-%d", run, seq)
}

// current is the step that a ticket has come to.
func (t *ticket) current(now time.Time) step {
	if t.byHand != nil {
		return step{word: t.byHand.Status, disputing: t.byHand.Disputing, validated: !t.byHand.Provisional}
	}
	at := t.scenario.steps[0]
	for _, s := range t.scenario.steps {
		if !now.Before(t.when(s)) {
			at = s
		}
	}
	return at
}

// when a step begins.
func (t *ticket) when(s step) time.Time {
	if s.atPort {
		return t.portTime(s.shift)
	}
	return t.opened.Add(s.after)
}

// portTime is when the numbers move: at the end of the work day of the date that
// was asked for, but not within a day of the confirmation; without one, ten days
// after the order. A shift moves it by days.
func (t *ticket) portTime(shift int) time.Time {
	at := t.opened.Add(portAfter)
	if day, err := time.Parse(time.DateOnly, t.requested); err == nil {
		at = day.Add(endOfWorkDay)
	}
	if soonest := t.opened.Add(followAfter); at.Before(soonest) {
		at = soonest
	}
	return at.AddDate(0, 0, shift)
}

// portDate is PortDate as a status has it: YYYYMMDD in UTC, "" when not known yet.
func (t *ticket) portDate(s step) string {
	switch {
	case t.byHand != nil:
		return t.byHand.PortDate
	case !s.dated:
		return ""
	}
	return t.portTime(s.shift).UTC().Format("20060102")
}

// remaining are the numbers that still take part.
func (t *ticket) remaining(s step) []int64 {
	if last := len(t.numbers) - 1; s.fewer && last > 0 {
		return t.numbers[:last]
	}
	return t.numbers
}

// snapshot is the ticket as others may see it.
func (t *ticket) snapshot(now time.Time) Ticket {
	return Ticket{
		ID: t.id, TicketMask: t.mask, Path: t.path, Numbers: slices.Clone(t.numbers),
		Opened: t.opened, Scenario: t.scenario.Name, Status: t.current(now).word,
	}
}
