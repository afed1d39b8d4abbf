// Package identity says who calls: what the caller is called, whose orders it sees, and what it may do.
//
// It promises that no scope implies another. It refuses to know how a caller proves who it is: auth does that, and the
// faces carry the result in the context.
package identity

import (
	"context"
	"slices"
)

// Caller is who calls. The zero value may do nothing. It is never changed once it is made, so that it can be shared between
// goroutines; that goes for its scopes too.
type Caller struct {
	// Name is what the log and an event's actor show; empty when the service does not ask who calls.
	Name string
	// Tenant is whose orders the caller sees, as the ledger stores it.
	Tenant string
	// Scopes are what the caller may do.
	Scopes []Scope
}

// May reports whether the caller may do what the scope stands for.
func (c Caller) May(s Scope) bool { return slices.Contains(c.Scopes, s) }

// Everybody is the caller of a service that does not ask who calls: it has no name and may do everything.
func Everybody(tenant string) Caller { return Caller{Tenant: tenant, Scopes: Scopes()} }

type key struct{}

// With returns a context in which c calls.
func With(ctx context.Context, c Caller) context.Context { return context.WithValue(ctx, key{}, c) }

// From returns who calls, and false where nobody has said so: that is a mistake in the wiring, never a caller who may do
// everything.
func From(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(key{}).(Caller)
	return c, ok
}
