package tracker

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// backWithin is within what time callers are asked to come back when their watch had to end.
const backWithin = 5 * time.Second

// errBehind: the next change is no longer in memory.
var errBehind = errors.New("the watch has fallen behind")

// goOn tells of changes until the watch ends.
func (x *watch) goOn(ctx context.Context) error {
	for {
		c, newer, err := x.next()
		switch {
		case errors.Is(err, errBehind):
			err = x.catchUp(ctx)
		case err != nil:
		case c != nil:
			err = x.say(Update{Order: c.order.now.Load(), Event: c.event})
		case x.said == "":
			err = x.signOfLife()
		default:
			err = x.await(ctx, newer)
		}
		if err != nil {
			return err
		}
	}
}

// next goes on to the next change that is told, if it is in memory; else to the last there is, and newer says when there are
// more. Of what is in memory nothing but that change is held afterwards: the caller may take its time.
func (x *watch) next() (c *change, newer <-chan struct{}, err error) {
	now := x.recent.Load()
	switch {
	case now.end != nil:
		return nil, nil, now.end
	case x.sequence < now.after:
		return nil, nil, errBehind
	}
	for _, c := range now.since(x.sequence) {
		x.sequence, x.mark = c.event.Value.Sequence, c.mark
		if x.hasEvent(&c.event.Value) {
			return c, nil, nil
		}
	}
	if now.head > x.sequence {
		x.sequence, x.mark = now.head, now.mark
	}
	return nil, now.newer, nil
}

// await waits until there is something newer, and gives signs of life.
func (x *watch) await(ctx context.Context, newer <-chan struct{}) error {
	select {
	case <-newer:
		return nil
	case <-x.beat:
		return x.signOfLife()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// catchUp tells of a page of changes from the ledger.
func (x *watch) catchUp(ctx context.Context) error {
	var page []ledger.Event
	err := x.read(ctx, func(ctx context.Context) (err error) {
		page, err = x.Ledger.Changes(ctx, x.sequence, pageEvents)
		return err
	})
	if err != nil {
		return err
	}
	if len(page) == 0 { // although there was more: the ledger has lost it
		return expired()
	}
	last := page[len(page)-1]
	var told []ledger.Event // the page itself is let go
	for _, e := range page {
		if x.hasEvent(&e) {
			told = append(told, e)
		}
	}
	for len(told) > 0 {
		n, err := x.sayFirst(ctx, told)
		if err != nil {
			return err
		}
		told = told[n:]
	}
	x.pass(&last)
	if x.said == "" {
		return x.signOfLife()
	}
	return nil
}

// sayFirst tells of the first few changes, as many as whose orders may be held at once, and returns how many they were.
func (x *watch) sayFirst(ctx context.Context, events []ledger.Event) (int, error) {
	orders, n, err := x.ordersOf(ctx, events)
	if err != nil {
		return 0, err
	}
	for _, e := range events[:n] {
		x.pass(&e)
		if o := orders[e.OrderID]; o != nil {
			if err := x.say(Update{Order: o, Event: &Shared[ledger.Event]{Value: e}}); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

// ordersOf reads the orders of the first n of some events.
func (x *watch) ordersOf(ctx context.Context, events []ledger.Event) (orders map[string]*Shared[ledger.Record], n int, err error) {
	var ids []string
	for _, e := range events[:min(len(events), pageOrders)] {
		if !slices.Contains(ids, e.OrderID) {
			ids = append(ids, e.OrderID)
		}
	}
	var found []ledger.Record
	err = x.read(ctx, func(ctx context.Context) (err error) {
		found, err = x.Ledger.Records(ctx, ids)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	orders = map[string]*Shared[ledger.Record]{}
	room := 2 * listBytes
	for _, e := range events[:min(len(events), pageOrders)] {
		i := slices.IndexFunc(found, func(r ledger.Record) bool { return r.OrderID == e.OrderID })
		if i >= 0 && orders[e.OrderID] == nil {
			if room -= weight(&found[i]); room < 0 && n > 0 {
				break
			}
			orders[e.OrderID] = &Shared[ledger.Record]{Value: found[i]}
		}
		n++
	}
	return orders, n, nil
}
