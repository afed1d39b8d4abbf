package intake

import (
	"context"
	"errors"
	"log/slog"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/rounds"
)

// Erase removes the personal data of an order, because an operator says so. One of which that was done before is answered as it
// is.
func (in *Intake) Erase(ctx context.Context, req *portinv1.ErasePortInOrderRequest) (*portinv1.PortInOrder, error) {
	r, err := in.owned(ctx, req.GetOrderId())
	if err != nil {
		return nil, readFault(ctx, err)
	}
	if r.Guarding() {
		in.endGuard(ctx, r)
	}
	erased, err := in.erase(ctx, r.OrderID, ledger.KeyLife, ledger.Entry{Actor: actor(ctx, ledger.ByOperator), Note: req.GetReason()})
	switch {
	case errors.Is(err, ledger.ErrMoved) && !erased.Erased.IsZero():
		return Render(erased)
	case errors.Is(err, ledger.ErrMoved):
		return nil, notErasable(erased)
	case err != nil:
		return nil, readFault(ctx, err)
	}
	in.Log.WarnContext(ctx, "an operator had the personal data of an order removed", slog.String("order_id", r.OrderID))
	return Render(erased)
}

// Erased returns of how many orders this process has removed the personal data.
func (in *Intake) Erased() int64 { return in.erased.Load() }

// unchangedSince is before when an order has to have been changed last for it to be kept for so long. A wall clock that jumped
// ahead erases nothing early: the earlier of the two clocks counts.
func (in *Intake) unchangedSince(kept time.Duration) time.Time {
	now := in.Now()
	if steady := in.steady(); steady.Before(now) {
		now = steady
	}
	return now.Add(-kept)
}

// erase is one call of the ledger's Erase, that does not end with the caller and survives a panic in the ledger, of an order that
// was kept for so long.
func (in *Intake) erase(ctx context.Context, orderID string, kept time.Duration, e ledger.Entry) (r ledger.Record, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = in.panicked(p)
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	r, err = in.Ledger.Erase(ctx, orderID, ledger.Erasure{Before: in.unchangedSince(kept), Now: in.Now(), Entry: e})
	if err == nil {
		in.erased.Add(1)
		in.endGuards(ctx, r)
	}
	return r, err
}

// endGuards looks after what corrects an order that was erased, itself and through others: with that order, the last thing that
// it guards may be over. Nobody may ever ask for its numbers again, and while it guards any, it is not erased itself.
func (in *Intake) endGuards(ctx context.Context, erased ledger.Record) {
	for id := erased.Successor; id != ""; {
		r, err := in.Ledger.Find(ctx, erased.Tenant, id)
		if err != nil {
			in.Log.ErrorContext(ctx, "what corrects an erased order could not be read", slog.String("order_id", id), slog.Any("error", err))
			return
		}
		if r.Guards {
			in.endGuard(ctx, r)
		}
		id = r.Successor
	}
}

// endGuard has an order guard nothing any more, when all is over that it corrects, itself and through others. What stands at the
// carrier is followed until it is closed, so the ledger's word for that is enough. Any doubt leaves it as it is.
func (in *Intake) endGuard(ctx context.Context, guard ledger.Record) {
	if guard.Predecessor == "" {
		return
	}
	for id := guard.Predecessor; id != ""; {
		r, err := in.Ledger.Find(ctx, guard.Tenant, id)
		if err != nil {
			in.Log.ErrorContext(ctx, "what an order corrects could not be read", slog.String("order_id", id), slog.Any("error", err))
			return
		}
		if r.State.Holds(r.Category() == order.CategoryClosed) {
			return
		}
		id = r.Predecessor
	}
	if err := in.unguard(ctx, guard); err != nil && !errors.Is(err, ledger.ErrMoved) {
		in.Log.ErrorContext(ctx, "an order goes on guarding numbers for nothing", slog.String("order_id", guard.OrderID), slog.Any("error", err))
	}
}

// notErasable is the error of an order whose personal data is still needed.
func notErasable(r ledger.Record) *fault.Error {
	switch {
	case r.Guarding():
		return fault.New(fault.ReasonOrderNotErasable, "the order holds its numbers for one that it corrects and that may still stand at the carrier; wait until that is closed").
			WithMetadata("order_id", r.OrderID)
	case !r.Over():
		return fault.New(fault.ReasonOrderNotErasable, "the order is not over, so what it asks for is still needed; wait until it is closed").
			WithMetadata("order_id", r.OrderID)
	}
	from := r.Updated.Add(ledger.KeyLife).Truncate(time.Second).Add(time.Second).UTC().Format(time.RFC3339)
	return fault.New(fault.ReasonOrderNotErasable, "the order's request_id may still be sent again, which needs what it asked for; erase it after "+from).
		WithMetadata("order_id", r.OrderID).WithMetadata("erasable_time", from)
}

const (
	// eraseEvery is how often orders are looked for whose time has come, and eraseAtOnce how many of them are read at once. One that
	// the ledger does not erase keeps no other one waiting; eraseFailures of them end the round, and the next one begins after them.
	eraseEvery    = time.Hour
	eraseAtOnce   = 100
	eraseFailures = 5
)

// eraseOld removes the personal data of orders whose time has come, round after round until ctx ends. Replicas may do so at the
// same time: an order is erased by one of them.
func (in *Intake) eraseOld(ctx context.Context) {
	if in.Config.Keep == 0 {
		return
	}
	failed := map[string]bool{}
	for rounds.Waited(ctx, rounds.Jittered(eraseEvery)) {
		for {
			erased, more, err := in.eraseSome(ctx, failed)
			if erased > 0 {
				in.Log.InfoContext(ctx, "the personal data of orders that are long over was removed", slog.Int("orders", erased))
			}
			if err != nil && ctx.Err() == nil {
				in.Log.ErrorContext(ctx, "the personal data of some orders could not be removed; it is tried again", slog.Any("error", err))
			}
			if !more || ctx.Err() != nil {
				break
			}
		}
	}
}

// eraseSome erases some orders, one after the other so that nobody waits for all of them. It says how many, and whether there may
// be more; when others were faster at all of them, the rest is left to these. Those that have failed are passed over until all
// others have had their turn.
func (in *Intake) eraseSome(ctx context.Context, failed map[string]bool) (erased int, more bool, err error) {
	limit := eraseAtOnce + len(failed)
	ids, err := in.erasable(ctx, limit)
	if err != nil {
		return 0, false, err
	}
	note := ledger.Entry{Actor: service(), Note: "the order was over for " + in.Config.Keep.String() + ", which is as long as its personal data is kept"}
	var problems []error
	for _, id := range ids {
		switch {
		case ctx.Err() != nil, len(problems) == eraseFailures:
			return erased, false, errors.Join(problems...)
		case failed[id]:
			continue
		}
		switch _, err := in.erase(ctx, id, in.keep(), note); {
		case errors.Is(err, ledger.ErrMoved), errors.Is(err, ledger.ErrNotFound): // another replica was faster
		case err != nil:
			problems, failed[id] = append(problems, err), true
		default:
			erased++
		}
	}
	if more = erased > 0 && len(ids) == limit; !more {
		clear(failed)
	}
	return erased, more, errors.Join(problems...)
}

// erasable are orders whose time has come.
func (in *Intake) erasable(ctx context.Context, limit int) (ids []string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = in.panicked(p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return in.Ledger.Erasable(ctx, in.unchangedSince(in.keep()), limit)
}

// keep is how long an order keeps its personal data after its last change: never shorter than its key may be sent again.
func (in *Intake) keep() time.Duration { return max(in.Config.Keep, ledger.KeyLife) }

// forgotten reports whether an order is so old that others which were placed about when it was may have been erased: nobody can
// say any more whether it was the only one of its numbers. Of the two clocks the later counts: a wall clock that was set back
// brings none of them back.
func (in *Intake) forgotten(r ledger.Record) bool {
	now := in.Now()
	if steady := in.steady(); steady.After(now) {
		now = steady
	}
	return now.Sub(r.Created) > ledger.KeyLife-kin-in.Config.Doubt.Window
}
