package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Observer is told how deliveries fare, for metrics. Its methods are called at the same time from several goroutines, and
// do not block.
type Observer interface {
	// Delivered tells of a try that has ended, what it came to and how long it took.
	Delivered(result Result, took time.Duration)
	// Behind tells how many events the endpoint that is furthest behind has not been looked at for.
	Behind(events int64)
	// Disabled tells that the service disabled an endpoint.
	Disabled()
	// Panicked tells of a panic that was survived.
	Panicked()
}

// Result is what a try came to.
type Result string

// The results.
const (
	// Taken: the endpoint took the event.
	Taken Result = "taken"
	// Failed: it did not, and is tried again.
	Failed Result = "failed"
	// GivenUp: it did not, for so long that it is not tried again.
	GivenUp Result = "given_up"
)

// Results lists every result, so that a metric can begin with all of them.
func Results() []Result { return []Result{Taken, Failed, GivenUp} }

// nobody is an observer that looks away.
type nobody struct{}

// Delivered does nothing.
func (nobody) Delivered(Result, time.Duration) {}

// Behind does nothing.
func (nobody) Behind(int64) {}

// Disabled does nothing.
func (nobody) Disabled() {}

// Panicked does nothing.
func (nobody) Panicked() {}

// guarded does a piece of work that must not end the process, logs what it fails with, and reports whether it was well. That
// the service stops is no failure.
func (w *Webhooks) guarded(ctx context.Context, what string, do func(context.Context) error) (well bool) {
	defer func() {
		if thrown := recover(); thrown != nil {
			well = false
			w.observer.Panicked()
			w.log.ErrorContext(ctx, "webhooks panicked", slog.String("doing", what), slog.String("panic", thrownAs(thrown)), slog.String("stack", stack()))
		}
	}()
	err := do(ctx)
	if err != nil && ctx.Err() == nil && !errors.Is(err, errStopping) {
		w.log.ErrorContext(ctx, "webhooks could not go on", slog.String("doing", what), slog.Any("error", err))
	}
	return err == nil
}

// thrownAs is what may be told of what was thrown: any value but the runtime's own may hold what a caller sent.
func thrownAs(thrown any) string {
	var r runtime.Error
	if err, ok := thrown.(error); ok && errors.As(err, &r) {
		return r.Error()
	}
	return fmt.Sprintf("%T", thrown)
}

// stack is where a panic came from, without how it was caught.
func stack() string {
	all := string(debug.Stack())
	if above := strings.Index(all, "\npanic("); above >= 0 {
		all = all[above+1:]
	}
	return all[:min(len(all), 3<<10)]
}
