package carrier

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/portin/portin/internal/fault"
)

// Submit posts an order once and says what came of it. There is no retry here or below, whatever happens: a POST of the
// same order is another order. It never panics, and it returns within PostTimeout.
//
// The context should outlive the caller of the order: when it ends after the first byte was written, the order is in
// doubt.
func (c *Client) Submit(ctx context.Context, call Call) Outcome {
	if len(call.Body) == 0 || !isPath(call.Path) {
		return Outcome{
			Settlement: NotSent,
			Evidence:   string(ClassNotWritten) + ": the call has no body or no path",
			Fault:      fault.Internal(fmt.Errorf("carrier: the call %q has no body or no path", call.Operation)),
		}
	}
	begun := c.config.Now()
	l := c.login.Load()
	leave, closed := l.gate.enter()
	if closed != nil {
		c.observe(ctx, call.Operation, ClassPaused, 0, begun)
		return closed.outcome()
	}
	m := c.post(ctx, l, call)
	class, out := classify(submissions, m, c.clock())
	leave(proof(class, m.failure))
	c.observe(ctx, call.Operation, class, m.status, begun)
	return out
}

// Paused says why submissions pause, CARRIER_CREDENTIALS or CARRIER_UNREACHABLE; ok is false while they do not. Those of a
// Client that is shut pause for CARRIER_CREDENTIALS.
func (c *Client) Paused() (reason fault.Reason, ok bool) {
	p := c.login.Load().gate.pause()
	if p == nil {
		return "", false
	}
	return p.outcome().Fault.Reason, true
}

// post has the exchange and reads the answer. A panic on the way is an answer that was not understood.
func (c *Client) post(ctx context.Context, l *login, call Call) (m met) {
	defer func() {
		if r := recover(); r != nil {
			c.config.Panicked(ctx, fault.Panicked(r))
			m = met{answer: answer{failure: failurePanic}}
		}
	}()
	return meet(c.exchange(ctx, l, request{
		method:  http.MethodPost,
		path:    call.Path,
		body:    call.Body,
		limit:   c.config.MaxAnswer,
		timeout: c.config.PostTimeout,
	}))
}

func (c *Client) clock() clock {
	return clock{now: c.config.Now, longest: c.config.RetryAfterCap}
}

func (c *Client) observe(ctx context.Context, operation string, class Class, status int, begun time.Time) {
	c.config.Observe(ctx, Observation{
		Operation:  operation,
		Class:      class,
		HTTPStatus: status,
		Duration:   c.config.Now().Sub(begun),
	})
}
