package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Received lists the requests that reached BasePath, the most recent last: the
// last 1,000 of them, with 64 MiB of bodies in total.
func (c *Carrier) Received() []Received {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.journal.list()
}

// Counts says how many order POSTs came, since New or Reset.
func (c *Carrier) Counts() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := c.journal.counts.clone()
	counts.Tickets = len(c.tickets.inOrder)
	return counts
}

// OrdersFor says in how many order POSTs a number was to be ported, refused ones
// included.
func (c *Carrier) OrdersFor(number int64) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.journal.counts.ByNumber[number]
}

// AwaitOrders waits until n order POSTs have come whose outcome is known. An order
// that is held without an answer is among them: its ticket stands. It returns
// ctx's error when ctx ends first.
func (c *Carrier) AwaitOrders(ctx context.Context, n int) error {
	for {
		c.mu.Lock()
		have, more := c.journal.settled, c.journal.more
		c.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return fmt.Errorf("sandbox: %d of %d orders came: %w", have, n, ctx.Err())
		}
	}
}

// Tickets lists every ticket in the order of their making, visible or not.
func (c *Carrier) Tickets() []Ticket {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]Ticket, len(c.tickets.inOrder))
	for i, t := range c.tickets.inOrder {
		list[i] = t.snapshot(c.now())
	}
	return list
}

// arrived notes a request before anything is done about it.
func (c *Carrier) arrived(r *http.Request, op *operation, account string) *Received {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.journal.open(r, op, account, c.now())
}

// settle notes what came of a request.
func (c *Carrier) settle(entry *Received, body []byte, outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry.journal.settle(entry, body, outcome)
}

func (c *Carrier) settleRefused(entry *Received, body []byte, refusal error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry.Refusal = refusal.Error()
	entry.journal.settle(entry, body, OutcomeRefused)
}

// countNumbers counts an order for its numbers.
func (c *Carrier) countNumbers(entry *Received, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry.journal.countNumbers(entry, value)
}

// Now is the carrier's time: Config.Now and what Advance has added.
func (c *Carrier) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

// now is Now for those who hold mu.
func (c *Carrier) now() time.Time {
	return c.config.Now().Add(c.offset)
}

var errNoTicket = fmt.Errorf("%w: ticket", errNotFound)

// SetStatus sets the status of a ticket, named by its ID or its TicketMask.
func (c *Carrier) SetStatus(ticketID string, change StatusChange) error {
	if strings.TrimSpace(change.Status) == "" {
		return errors.New("sandbox: a status needs a word")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tickets.find(ticketID, true)
	if t == nil {
		return errNoTicket
	}
	t.byHand = &change
	return nil
}
