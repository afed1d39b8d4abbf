package tracker

import (
	"cmp"
	"context"

	"github.com/portin/portin/internal/bookmark"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

// watch is one caller that is told of orders.
type watch struct {
	*Watches
	filter
	place

	binding bookmark.Binding
	tell    func(Update) error
	// said is the last token that the caller was told, empty before the first; beat is closed when it has to hear again.
	said string
	beat <-chan struct{}
}

// say tells the caller something, with the token of the place where the watch now is.
func (x *watch) say(u Update) error {
	u.Token = x.token(x.binding)
	if err := x.tell(u); err != nil {
		return err
	}
	x.said, x.beat = u.Token, x.beats.due()
	return nil
}

// signOfLife tells the caller where it is.
func (x *watch) signOfLife() error { return x.say(Update{}) }

// begin takes the watch to where it goes on from.
func (x *watch) begin(ctx context.Context, token string, skip bool) error {
	if token == "" {
		return x.beginAnew(ctx, skip)
	}
	if skip {
		return fault.Fields([]fault.Violation{{
			Field: "skip_existing", Description: "cannot be true beside a resume_token, with which a watch goes on where it was; leave out one of them",
		}})
	}
	at, err := readToken(token, x.binding)
	if err != nil {
		return err
	}
	if at.listing && x.orderID != "" { // no watch of one order ever lists
		return expired()
	}
	// A ledger that was restored from a backup has other events in the places of those that came after it.
	if there, err := x.markAt(ctx, at.sequence); err != nil || there != at.mark {
		return cmp.Or(err, expired())
	}
	x.place = at
	return x.list(ctx)
}

// beginAnew begins with the orders as they are, unless they are to be skipped. The head is read before them: what happens
// meanwhile is told again as a change, and nothing falls between.
func (x *watch) beginAnew(ctx context.Context, skip bool) error {
	head, err := x.readHead(ctx)
	if err != nil {
		return err
	}
	at, err := x.markAt(ctx, head)
	if err != nil {
		return err
	}
	x.place = place{sequence: head, mark: at, listing: !skip && x.orderID == ""}
	if x.orderID == "" {
		return x.list(ctx)
	}
	var found []ledger.Record
	err = x.read(ctx, func(ctx context.Context) (err error) {
		found, err = x.Ledger.Records(ctx, []string{x.orderID})
		return err
	})
	switch {
	case err != nil:
		return err
	case len(found) == 0 || found[0].Tenant != x.tenant:
		return fault.New(fault.ReasonOrderNotFound, "there is no such order; check the order_id")
	case skip || !x.hasOrder(&found[0]):
		return nil
	}
	return x.say(Update{Order: &Shared[ledger.Record]{Value: found[0]}})
}

const (
	// listOrders and listBytes bound a page of the orders as they are, which is held until the caller has taken it.
	listOrders, listBytes = 50, 128 << 10
)

// list tells the orders as they are, from where it is in their list, and then where the changes begin.
func (x *watch) list(ctx context.Context) error {
	if !x.listing {
		return nil
	}
	for more := true; more; {
		var page []ledger.Record
		err := x.read(ctx, func(ctx context.Context) (err error) {
			page, more, err = x.Ledger.List(ctx, ledger.Query{
				Tenant: x.tenant, States: x.states, Categories: x.categories, After: x.last, Limit: listOrders, MaxBytes: listBytes,
			})
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range page {
			x.last = ledger.Position{Created: r.Created, OrderID: r.OrderID}
			if err := x.say(Update{Order: &Shared[ledger.Record]{Value: r}}); err != nil {
				return err
			}
		}
	}
	x.listing, x.last = false, ledger.Position{}
	return x.signOfLife()
}

// end gives the caller the newest token before a watch ends that it will take up again.
func (x *watch) end(err error) error {
	e, again := isEnd(err)
	if !again {
		return err
	}
	if x.said != "" && x.said != x.token(x.binding) {
		if err := x.signOfLife(); err != nil {
			return err
		}
	}
	return e.WithRetryAfter(soon(backWithin))
}
