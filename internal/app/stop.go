package app

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// stop ends the service. It says that it is not ready, and goes on as before for as long as whoever sends calls here may take
// to notice. Then watches end with a token to go on from, periodic work ends, nothing new is taken, calls and orders in flight
// get the time allowed, and at last the ledger and the carrier are let go.
func (a *App) stop(ctx context.Context, endWork context.CancelFunc) error {
	a.log.InfoContext(ctx, "stopping", slog.Duration("after", a.config.ShutdownDelay), slog.Duration("within", a.config.ShutdownTimeout))
	a.ready.Store(false)
	a.health.Shutdown()
	<-time.After(a.config.ShutdownDelay)
	endWork()
	a.watches.Stop() // first: the faces wait for them
	ctx, cancel := context.WithTimeout(ctx, a.config.ShutdownTimeout)
	defer cancel()
	// Orders get a little less than all of it: who still waits for one then is answered before the connection ends.
	orders, cancelOrders := context.WithTimeout(ctx, a.config.ShutdownTimeout*9/10)
	defer cancelOrders()
	drained, graceful := make(chan error, 1), make(chan struct{})
	go func() { drained <- a.intake.Drain(orders) }()
	go func() {
		a.grpc.GracefulStop() // it would wait for streams for ever
		close(graceful)
	}()
	httpErr := a.http.Shutdown(ctx)
	if httpErr != nil {
		httpErr = errors.Join(httpErr, a.http.Close())
	}
	within(ctx, a.inProcess.Wait)
	select {
	case <-graceful:
	case <-ctx.Done():
		a.grpc.Stop()
	}
	within(ctx, func() { <-a.worked })
	err := errors.Join(httpErr, <-drained, a.admin.Shutdown(ctx))
	a.traces.stop(ctx)
	// Closing gets a moment of its own, and no more: a ledger that hangs must not keep a process that was asked to go.
	closing, cancelClosing := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancelClosing()
	closed := make(chan error, 1)
	go func() { closed <- a.close(closing) }()
	select {
	case closeErr := <-closed:
		return errors.Join(err, closeErr)
	case <-closing.Done():
		return errors.Join(err, errors.New("the ledger or another part did not close in time"))
	}
}

// closeWithin is how long the parts of a service may take to close: a ledger on a busy disk takes seconds.
const closeWithin = 10 * time.Second

// within waits until something is done, or until ctx ends and it is left behind.
func within(ctx context.Context, do func()) {
	done := make(chan struct{})
	go func() {
		do()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// close gives back what New took. It is for a service that does not run, or no longer.
func (a *App) close(ctx context.Context) error {
	var errs []error
	for _, l := range []interface{ Close() error }{a.grpcListener, a.httpListener, a.adminListener} {
		// A server that ran has closed its listener; a second close is no error of ours.
		if l != nil {
			_ = l.Close()
		}
	}
	if a.accounts != nil {
		a.accounts.Close()
	}
	if a.traces != nil {
		a.traces.stop(ctx)
	}
	if a.ledger != nil {
		errs = append(errs, a.ledger.Close())
	}
	if a.sandbox != nil {
		errs = append(errs, a.sandbox.close())
	}
	return errors.Join(errs...)
}
