package intake

import (
	"context"
	"errors"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/identity"
	"github.com/portin/portin/internal/ledger"
)

// errNobody: who asks has not been through the door, where it is found out who calls.
var errNobody = errors.New("nobody has said who calls")

// callerOf is who asks. Whose orders a call sees, and what it is called in their events, never comes from the request.
func callerOf(ctx context.Context) (identity.Caller, error) {
	caller, ok := identity.From(ctx)
	if !ok || caller.Tenant == "" {
		return identity.Caller{}, fault.Internal(errNobody)
	}
	return caller, nil
}

// accountOf is the carrier's account that a tenant's new orders go to.
func (in *Intake) accountOf(tenant string) (string, error) {
	account := in.Accounts.Of(tenant)
	if account == "" {
		return "", fault.New(fault.ReasonCarrierCredentials,
			"the service has no account at the carrier for this tenant, and nothing was sent; its operator has to name one")
	}
	return account, nil
}

// actor is who asks, as an order's events name it.
func actor(ctx context.Context, kind ledger.ActorKind) ledger.Actor {
	caller, _ := identity.From(ctx) // who came so far has one
	return ledger.Actor{Kind: kind, Name: caller.Name}
}
