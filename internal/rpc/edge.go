package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
	"unicode"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/portin/portin/internal/fault"
)

// toStatusUnary is where a fault becomes a gRPC status; nothing without a reason leaves the contract's services.
func toStatusUnary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	resp, err := handler(ctx, req)
	if err != nil {
		return nil, leaving(info.FullMethod, err)
	}
	return resp, nil
}

func toStatusStream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if err := handler(srv, ss); err != nil {
		return leaving(info.FullMethod, err)
	}
	return nil
}

// leaving is an error as the caller of a method gets it.
func leaving(method string, err error) error {
	if foreign(method, err) {
		return err
	}
	return statusOf(faultOf(err)).Err()
}

// foreign reports whether an error is the own word of a service that is not of the contract: of health or reflection,
// whose callers know their codes.
func foreign(method string, err error) bool {
	_, own := status.FromError(err)
	return own && !ofOwn(method)
}

// logged writes one line a call: identities, those of its order and its caller too, the reason, how long it took. No payload,
// no message of an error; the cause of an internal error is the one text, and it is bounded.
func logged(log *slog.Logger) interceptors.CommonReportableFunc {
	return func(ctx context.Context, c interceptors.CallMeta) (interceptors.Reporter, context.Context) {
		return &report{log: log, ctx: ctx, method: c.FullMethod(), streams: c.Typ != interceptors.Unary}, ctx
	}
}

type report struct {
	interceptors.NoopReporter
	log    *slog.Logger
	ctx    context.Context //nolint:containedctx // a Reporter lives as long as its call
	method string
	// streams tells that it answers again and again.
	streams bool
	// order is the one that the call asked for or answered; empty for none. An error names its own.
	order string
}

// PostMsgReceive is told what was asked, of a watch too.
func (r *report) PostMsgReceive(req any, err error, _ time.Duration) {
	if err == nil {
		r.order = orderIDOf(req, nil, "")
	}
}

// PostMsgSend is told what is answered. What a watch tells is of many orders, and has none to name.
func (r *report) PostMsgSend(resp any, err error, _ time.Duration) {
	if r.streams || err != nil {
		return
	}
	if id := orderIDOf(nil, resp, ""); id != "" {
		r.order = id
	}
}

// PostCall is told how the call ended.
func (r *report) PostCall(err error, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("method", line(r.method, maxName)),
		slog.String("request_id", RequestID(r.ctx)),
		slog.Duration("duration", took),
	}
	if caller := callOf(r.ctx).caller; caller != "" {
		attrs = append(attrs, slog.String("caller", line(caller, maxName)))
	}
	attrs = append(attrs, traceOf(r.ctx)...)
	level := slog.LevelInfo
	order := r.order
	if err == nil || foreign(r.method, err) {
		attrs = append(attrs, slog.String("code", status.Code(err).String()))
	} else {
		e := faultOf(err)
		attrs = append(attrs, slog.String("code", grpcCodes[e.Kind()].String()), slog.String("reason", string(e.Reason)))
		for key, value := range metadataOf(e) {
			attrs = append(attrs, slog.String(key, line(value, maxName)))
		}
		if e.Metadata["order_id"] != "" {
			order = "" // the error has said which
		}
		switch e.Kind() { //nolint:exhaustive // all others are the caller's to mend, and have no cause worth a line
		case fault.KindInternal:
			level = slog.LevelError
			attrs = append(attrs, causeOf(e)...)
		case fault.KindUnauthenticated:
			attrs = append(attrs, causeOf(e)...) // which kind of credentials it was; never what they were
		case fault.KindUnavailable:
			if why := causeOf(e); why != nil {
				level = slog.LevelWarn
				attrs = append(attrs, why...)
			}
		}
	}
	if order != "" {
		attrs = append(attrs, slog.String("order_id", order))
	}
	r.log.LogAttrs(r.ctx, level, "call", attrs...)
}

// causeOf is what the log says about an internal error: its chain of wraps, or where it panicked.
func causeOf(e *fault.Error) []slog.Attr {
	if p, ok := errors.AsType[*panicError](e); ok {
		return []slog.Attr{slog.String("panic", line(p.what, maxText)), slog.String("stack", cut(p.stack, maxStack))}
	}
	if cause := errors.Unwrap(e); cause != nil {
		return []slog.Attr{slog.String("cause", line(cause.Error(), maxMessage))}
	}
	return nil
}

// Bounds of a line in the log, so that it has less than 4 KiB in either format.
const (
	maxName  = 128
	maxStack = 2 << 10
)

// line bounds a text and makes it stand in one line: a character that cannot be printed, which either format would write
// at six times its length, becomes a question mark.
func line(s string, limit int) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, cut(s, limit))
}

// panicError is a panic of a handler on its way to the log.
type panicError struct{ what, stack string }

func (p *panicError) Error() string { return "panic: " + p.what }

// recovered tells of a panic, and turns it into an internal fault. What was thrown is shown only when the runtime threw it: any other
// value may hold what a caller sent.
func recovered(panicked func()) recovery.Option {
	return recovery.WithRecoveryHandlerContext(func(_ context.Context, thrown any) error {
		if panicked != nil {
			panicked()
		}
		what := fmt.Sprintf("%T", thrown)
		var r runtime.Error
		if err, ok := thrown.(error); ok && errors.As(err, &r) {
			what = r.Error()
		}
		stack := string(debug.Stack())
		if above := strings.Index(stack, "\npanic("); above >= 0 {
			stack = stack[above+1:] // above it stands how the panic was caught
		}
		return fault.Internal(&panicError{what: what, stack: stack})
	})
}

// deadline caps how long a unary call may take.
func deadline(longest time.Duration) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		ctx, cancel := context.WithTimeout(ctx, longest)
		defer cancel()
		return handler(ctx, req)
	}
}
