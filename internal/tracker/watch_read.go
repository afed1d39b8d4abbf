package tracker

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// readHead reads the sequence of the latest event.
func (x *watch) readHead(ctx context.Context) (head int64, err error) {
	err = x.read(ctx, func(ctx context.Context) (err error) {
		head, err = x.Ledger.Head(ctx)
		return err
	})
	return head, err
}

// markAt is the mark of the event at a place in the ledger: zero before the first one, and where none is.
func (x *watch) markAt(ctx context.Context, sequence int64) (mark, error) {
	if sequence == 0 {
		return mark{}, nil
	}
	if m, known := x.recent.Load().markAt(sequence); known {
		return m, nil
	}
	var found []ledger.Event
	err := x.read(ctx, func(ctx context.Context) (err error) {
		found, err = x.Ledger.Changes(ctx, sequence-1, 1)
		return err
	})
	if err != nil || len(found) == 0 || found[0].Sequence != sequence {
		return mark{}, err
	}
	return markOf(&found[0]), nil
}

// read reads the ledger, when it is the watch's turn. A caller who waits for its first answer is told at once when the
// ledger fails; one who has had one is given signs of life while it is tried again.
func (x *watch) read(ctx context.Context, read func(context.Context) error) error {
	var failing time.Time
	for {
		if err := x.turn(ctx); err != nil {
			return err
		}
		err := x.readNow(ctx, read)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case failing.IsZero():
			failing = time.Now()
		}
		if x.said == "" || time.Since(failing) >= x.Patience {
			return ledgerDown(err)
		}
		if err := x.rest(ctx, lookAgain/2+rand.N(lookAgain)); err != nil { //nolint:gosec // chance, not a secret
			return err
		}
	}
}

// readNow reads in the watch's turn, which ends with it. The time-out is the only end of a read: a context below the
// caller's would leave a quarter of a kilobyte there for as long as the watch lasts.
func (x *watch) readNow(ctx context.Context, read func(context.Context) error) error {
	defer func() { <-x.turns }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	return read(ctx)
}

// turn waits for the watch's turn at the ledger. Callers that come back all at once are served one after the other, so that
// they do not keep orders from being taken.
func (x *watch) turn(ctx context.Context) error {
	for {
		if err := x.stillThere(ctx); err != nil {
			return err
		}
		select {
		case x.turns <- struct{}{}:
			return nil
		case <-x.beat: // stillThere gives it
		case <-x.stopped:
		case <-ctx.Done():
		}
	}
}

// rest waits a while.
func (x *watch) rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		if err := x.stillThere(ctx); err != nil {
			return err
		}
		select {
		case <-timer.C:
			return nil
		case <-x.beat:
		case <-x.stopped:
		case <-ctx.Done():
		}
	}
}

// stillThere gives a sign of life if one is due, and says when the watch has to end.
func (x *watch) stillThere(ctx context.Context) error {
	select {
	case <-x.stopped:
		return shuttingDown()
	case <-ctx.Done():
		return ctx.Err()
	default:
	}
	select {
	case <-x.beat:
		return x.signOfLife()
	default: // also before the first answer, when nothing is due
		return nil
	}
}
