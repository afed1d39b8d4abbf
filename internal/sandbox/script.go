package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Lookups is a family of operations that FailLookups makes fail.
type Lookups string

// The families of look-ups.
const (
	StatusLookups    Lookups = "status"    // PortInStatus by ticket and by number
	CatalogueLookups Lookups = "catalogue" // all others
)

// Next says what the next order POSTs meet, one after the other, behind what is
// waiting already. Each is the name of an outcome or of a scenario, or both joined
// with "+", with "+ticket" or "+noticket" to turn round whether a ticket is made.
// A script goes before what an order chooses by name or number; an order that a
// rule refuses uses its turn up. Nothing is taken over when one name is wrong.
func (c *Carrier) Next(names ...string) error {
	chosen := make([]choice, len(names))
	for i, name := range names {
		var err error
		if chosen[i], err = parseChoice(name); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.script = append(c.script, chosen...)
	return nil
}

// Waiting lists what Next has still in store.
func (c *Carrier) Waiting() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := make([]string, len(c.script))
	for i, chosen := range c.script {
		names[i] = chosen.String()
	}
	return names
}

// takeScripted takes the turn of one order POST.
func (c *Carrier) takeScripted() (choice, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.script) == 0 {
		return choice{}, false
	}
	chosen := c.script[0]
	c.script = c.script[1:]
	return chosen, true
}

// FailLookups makes the next count look-ups of a family meet an outcome, behind
// those that are to fail already. Outcomes that are about orders are refused. A
// client may by itself repeat a GET whose reused connection was cut, and so use up
// two at once.
func (c *Carrier) FailLookups(family Lookups, count int, name string) error {
	if family != StatusLookups && family != CatalogueLookups {
		return fmt.Errorf("sandbox: there are no look-ups %q, only %q and %q", family, StatusLookups, CatalogueLookups)
	}
	outcome, ok := outcomeNamed(name)
	if !ok || outcome.is(ordersOnly) || outcome.is(beforeBody) {
		return fmt.Errorf("sandbox: a look-up cannot meet the outcome %q", name)
	}
	if count < 0 {
		return fmt.Errorf("sandbox: %d look-ups cannot fail", count)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failing[family] = append(c.failing[family], slices.Repeat([]Outcome{outcome}, count)...)
	return nil
}

// takeFailing takes the turn of one look-up.
func (c *Carrier) takeFailing(op *operation) (Outcome, bool) {
	family := CatalogueLookups
	if strings.HasSuffix(op.path, "/PortInStatus") {
		family = StatusLookups
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	queue := c.failing[family]
	if len(queue) == 0 {
		return Outcome{}, false
	}
	c.failing[family] = queue[1:]
	return queue[0], true
}

// Advance moves the carrier's clock on by d, which may be negative.
func (c *Carrier) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// Unknowns are the switches as they stand.
func (c *Carrier) Unknowns() Unknowns {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unknowns
}

// SetUnknowns moves the switches. TicketID and Deferred hold for orders from now
// on, the others for every ticket. A position that does not exist is an error and
// moves nothing.
func (c *Carrier) SetUnknowns(u Unknowns) error {
	if err := u.Validate(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unknowns = u.withDefaults()
	return nil
}

// Reset puts everything back to where New had it, switches and clock too. Ticket
// ids are not used again. A request that is
// under way is forgotten, but may still make its ticket.
func (c *Carrier) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := c.journal
	c.state = newState(c.config)
	left.wake()
}
