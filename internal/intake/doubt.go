package intake

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
	"github.com/portin/portin/internal/rounds"
)

// Doubt is how orders in doubt are asked about. All times are longer by up to a fifth, by chance.
type Doubt struct {
	// Window is how long a ticket may take to become visible at the carrier. After it, and after Agreeing look-ups that
	// lie Spacing apart and find the same, an order needs attention; after twice the window in any case.
	Window, Spacing time.Duration
	Agreeing        int
	// First is when an order is asked about first; the next times come later and later, up to Spacing.
	First time.Duration
	// Rest is how long an order that needs attention is left alone between two look-ups.
	Rest time.Duration
	// Every is how often the ledger is asked what is due, and PerSecond how many orders are asked about a second at most.
	Every     time.Duration
	PerSecond float64
}

// otherNumbers is how many numbers beside the first are asked about, when the carrier knows nothing of that.
const otherNumbers = 2

func (d Doubt) first() time.Duration { return rounds.Jittered(d.First) }

// next is when an order is asked about again that was asked about so often.
func (d Doubt) next(asked int, resting bool) time.Duration {
	if resting {
		return rounds.Jittered(d.Rest)
	}
	return rounds.Jittered(min(d.Spacing, d.First<<min(asked, 20)))
}

// Run looks after the leases of the orders that are being sent, asks the carrier about those in doubt, and erases those whose
// time has come, until ctx ends.
func (in *Intake) Run(ctx context.Context) {
	var loops sync.WaitGroup
	loops.Go(func() { in.watchLeases(ctx) })
	loops.Go(func() { in.findOut(ctx) })
	loops.Go(func() { in.eraseOld(ctx) })
	loops.Wait()
}

// findOut asks about orders in doubt, round after round. Once the carrier does not answer, the others are looked at without
// asking: an order that has waited long enough needs attention all the same.
func (in *Intake) findOut(ctx context.Context) {
	rounds.New(rounds.Params{
		Ledger: in.Ledger, State: order.InDoubt, What: "orders in doubt", Log: in.Log, Now: in.steady,
		Every: in.Config.Doubt.Every, PerSecond: in.Config.Doubt.PerSecond, Accounts: in.Accounts.Names, Look: in.askAbout, All: true,
		Panicked: in.Panicked,
	}).Run(ctx)
}

// finding is what the carrier's answer means for an order in doubt.
type finding struct {
	// note is in plain English; equal notes are equal findings. It is empty when the carrier was not asked or did not answer.
	note string
	// ticket stands at the carrier for the number that was asked about.
	ticket string
	// match tells that the ticket is the order's own, and status what the carrier says about it.
	match  bool
	status carrier.Status
}

// askAbout asks the carrier about an order in doubt, when the round may, and writes down what it says.
func (in *Intake) askAbout(ctx context.Context, r ledger.Record, round *rounds.Round) error {
	in.Reach(PointTaken)
	var found finding
	if round.MayAsk(ctx) {
		var err error
		if found, err = in.find(ctx, r); err != nil {
			round.NoAnswer(err)
		} else {
			round.Answered()
		}
	}
	if ctx.Err() != nil { // this process ends
		return in.giveBack(ctx, r)
	}
	in.Reach(PointAsked)
	after, err := in.note(ctx, r, found)
	if errors.Is(err, ledger.ErrTicketTaken) {
		found.match, found.note = false, "the ticket that the carrier has for the first number belongs to another order"
		after, err = in.note(ctx, r, found)
	}
	switch {
	case errors.Is(err, ledger.ErrMoved):
		return nil
	case err != nil:
		return err
	case after.State == order.Accepted:
		in.Log.InfoContext(ctx, "an order in doubt was found at the carrier", slog.String("order_id", r.OrderID), slog.String("ticket_id", after.Ticket))
	case after.Attends(ledger.AttentionInDoubtUnresolved) && !r.Attends(ledger.AttentionInDoubtUnresolved):
		in.Log.ErrorContext(ctx, "an order is in doubt and could not be found out about; resolve it", slog.String("order_id", r.OrderID))
	}
	return nil
}

// giveBack has an order in doubt that this process has taken be due at once, for the next process.
func (in *Intake) giveBack(ctx context.Context, taken ledger.Record) error {
	_, err := in.advance(ctx, taken.OrderID, ledger.Step{By: order.ByEvidence, Now: in.Now(), Change: func(r *ledger.Record) (ledger.Entry, error) {
		if r.State != order.InDoubt || r.Fence != taken.Fence {
			return ledger.Entry{}, ledger.ErrMoved
		}
		r.Due = in.steady()
		return ledger.Entry{}, nil
	}})
	if errors.Is(err, ledger.ErrMoved) {
		return nil
	}
	return err
}

// find asks about the first number, the only one whose answer can settle the order, because the look before it asked about
// no other; when the carrier knows nothing of it, a few others are asked about. Its error is that of a carrier that does not
// answer.
func (in *Intake) find(ctx context.Context, r ledger.Record) (finding, error) {
	asked := in.Carrier(r.CarrierAccount)
	status, err := asked.StatusByNumber(ctx, portstatus.TenDigits(r.Numbers[0]))
	switch {
	case err == nil:
		found := finding{note: meaning(r, status), ticket: status.Ticket, status: status}
		switch {
		case !portstatus.Matches(r, status):
		case !in.alone(ctx, r):
			found.note = "the carrier knows a port-in of the order's numbers, but another order of the first number was placed within a day, so that can be the other one's"
		case in.forgotten(r): // asked last: whatever was there until now has been seen
			found.note = "the carrier knows a port-in of the order's numbers, but the order is so old that another one of the first number may have been erased since, so that can be the other one's"
		default:
			found.match = true
		}
		return found, nil
	case !fault.Is(err, fault.ReasonPortInNotFound):
		return finding{}, err
	}
	for _, n := range others(r.Numbers) {
		status, err := asked.StatusByNumber(ctx, portstatus.TenDigits(n))
		switch {
		case err == nil:
			return finding{note: "the carrier knows no port-in of the first number, but one of another number of the order", ticket: status.Ticket}, nil
		case !fault.Is(err, fault.ReasonPortInNotFound):
			return finding{}, err
		}
	}
	return finding{note: "the carrier knows no port-in of the order's numbers"}, nil
}

// others are the numbers beside the first that are asked about: the last, and some in between.
func others(numbers []string) []string {
	rest := numbers[1:]
	if len(rest) <= otherNumbers {
		return rest
	}
	var some []string
	for i := range otherNumbers {
		some = append(some, rest[(i+1)*len(rest)/otherNumbers-1])
	}
	return some
}

// meaning says what a status for the first number is to an order in doubt. The first reason that fits is told.
func meaning(r ledger.Record, s carrier.Status) string {
	switch {
	case portstatus.Matches(r, s):
		return "the carrier has the order"
	case s.Ticket == "":
		return "the carrier knows a port-in of the first number, and does not name its ticket"
	case slices.Contains(r.Looks, s.Ticket):
		return "the carrier knows the port-in of the first number that stood there before the order was sent"
	case r.LookFailed:
		return "the carrier knows a port-in of the first number; it could not be asked before the order was sent, so that can be an older one"
	case len(r.Looks) > 0:
		return "the carrier knows a port-in of the first number; another one stood there before the order was sent, so that can be an older one too"
	case portstatus.Closed(s):
		return "the carrier knows a closed port-in of the first number"
	case len(s.Numbers) == 0:
		return "the carrier knows a port-in of the first number, and does not list its numbers"
	}
	return "the carrier knows a port-in of the first number, with other numbers than the order's"
}

// note writes down what was found about an order that this process has taken, unless the order has moved on.
func (in *Intake) note(ctx context.Context, taken ledger.Record, found finding) (ledger.Record, error) {
	now, steady := in.Now(), in.steady()
	return in.advance(ctx, taken.OrderID, ledger.Step{By: order.ByEvidence, Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
		if r.State != order.InDoubt || r.Attempt != taken.Attempt || r.Fence != taken.Fence {
			return ledger.Entry{}, ledger.ErrMoved
		}
		entry := ledger.Entry{Actor: service(), Ticket: found.ticket, Note: found.note}
		if found.match {
			accept(r, found.ticket, now, steady)
			portstatus.Observe(r, found.status, now)
			return entry, nil
		}
		r.Doubt.Asked++
		if found.note != "" && in.Config.Doubt.counts(&r.Doubt, found.note, steady) {
			entry.Type = ledger.EventEvidence
		}
		if in.Config.Doubt.isOver(r.Doubt, steady) {
			r.Attend(ledger.AttentionInDoubtUnresolved, "whether the carrier has the order could not be found out; look its numbers up at the carrier and resolve it", now)
		}
		r.Due = steady.Add(in.Config.Doubt.next(r.Doubt.Asked, r.Attends(ledger.AttentionInDoubtUnresolved)))
		return entry, nil
	}})
}

// counts keeps a finding that is new, or that agrees with the one before after Spacing, and reports whether it is one.
// Further agreement than is asked for is not worth an event.
func (d Doubt) counts(doubt *ledger.Doubt, found string, steady time.Time) bool {
	switch {
	case doubt.Finding != found:
		doubt.Finding, doubt.Agreed = found, 1
	case steady.Sub(doubt.Counted) < d.Spacing || doubt.Agreed >= d.Agreeing:
		return false
	default:
		doubt.Agreed++
	}
	doubt.Counted = steady
	return true
}

// isOver reports whether a person has to decide.
func (d Doubt) isOver(doubt ledger.Doubt, steady time.Time) bool {
	waited := steady.Sub(doubt.Since)
	return waited >= 2*d.Window || (waited >= d.Window && doubt.Agreed >= d.Agreeing)
}
