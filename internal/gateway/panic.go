package gateway

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
)

// maxStack is how much of a stack goes into the log, which keeps the line below 4 KiB.
const maxStack = 3 << 10

// beginning notes whether an answer has begun, and with which status. It hides nothing of the writer below: http.ResponseController finds it.
type beginning struct {
	http.ResponseWriter

	begun  bool
	status int
}

// WriteHeader begins the answer.
func (b *beginning) WriteHeader(code int) {
	if !b.begun {
		b.begun, b.status = true, code
	}
	b.ResponseWriter.WriteHeader(code)
}

// Write begins the answer, if it has not.
func (b *beginning) Write(p []byte) (int, error) {
	if !b.begun {
		b.begun, b.status = true, http.StatusOK
	}
	return b.ResponseWriter.Write(p)
}

// Unwrap is the writer below.
func (b *beginning) Unwrap() http.ResponseWriter {
	return b.ResponseWriter
}

// recoverPanic makes an INTERNAL of a panic, and one line in the log. An answer that has begun is cut off instead, so
// that nobody takes it for whole.
func (g *gateway) recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &beginning{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil {
				g.afterPanic(answer, r, p)
			}
		}()
		next.ServeHTTP(answer, r)
	})
}

// afterPanic deals with what was recovered. An abort that net/http knows goes on.
func (g *gateway) afterPanic(answer *beginning, r *http.Request, p any) {
	if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		panic(p)
	}
	g.panicked()
	what, stack := describePanic(p)
	g.log.LogAttrs(r.Context(), slog.LevelError, "panic in an HTTP handler", append(identitiesOf(answer, r),
		slog.String("panic", what),
		slog.String("stack", cut(string(stack), maxStack)))...)
	if answer.begun {
		panic(http.ErrAbortHandler)
	}
	writeError(answer, internal().status)
}

// describePanic is what may be logged of a panic: the words of the Go runtime, and of any other the type alone, for the
// value may be an order.
func describePanic(p any) (what string, stack []byte) {
	stack = debug.Stack()
	if far, ok := p.(*handlerPanic); ok {
		p, stack = far.value, far.stack
	}
	if err, ok := p.(runtime.Error); ok {
		return cut(err.Error(), maxMessage/4), stack
	}
	return fmt.Sprintf("a %T", p), stack
}
