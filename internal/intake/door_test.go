package intake_test

import (
	"context"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/identity"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
)

// tenant is whose orders those of the tests are, but where they say otherwise.
const tenant = ledger.Default

// door is an intake behind the door where it is found out who calls: everybody, unless the test has said who.
type door struct{ *intake.Intake }

// through is a context that has passed the door.
func through(ctx context.Context) context.Context {
	if _, known := identity.From(ctx); known {
		return ctx
	}
	return identity.With(ctx, identity.Everybody(tenant))
}

func (d door) PortIn(ctx context.Context, req *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
	return d.Intake.PortIn(through(ctx), req)
}

func (d door) Get(ctx context.Context, orderID string) (*portinv1.PortInOrder, error) {
	return d.Intake.Get(through(ctx), orderID)
}

func (d door) List(ctx context.Context, req *portinv1.ListPortInOrdersRequest) (*portinv1.ListPortInOrdersResponse, error) {
	return d.Intake.List(through(ctx), req)
}

func (d door) Events(ctx context.Context, req *portinv1.ListPortInOrderEventsRequest) (*portinv1.ListPortInOrderEventsResponse, error) {
	return d.Intake.Events(through(ctx), req)
}

func (d door) Follow(ctx context.Context, req *portinv1.FollowPortInRequest) (*portinv1.PortInOrder, error) {
	return d.Intake.Follow(through(ctx), req)
}

func (d door) Resubmit(ctx context.Context, req *portinv1.ResubmitPortInRequest) (*portinv1.ResubmitPortInResponse, error) {
	return d.Intake.Resubmit(through(ctx), req)
}

func (d door) Resolve(ctx context.Context, req *portinv1.ResolveInDoubtRequest) (*portinv1.PortInOrder, error) {
	return d.Intake.Resolve(through(ctx), req)
}

func (d door) Erase(ctx context.Context, req *portinv1.ErasePortInOrderRequest) (*portinv1.PortInOrder, error) {
	return d.Intake.Erase(through(ctx), req)
}

func (d door) Close(ctx context.Context, req *portinv1.ClosePortInOrderRequest) (*portinv1.PortInOrder, error) {
	return d.Intake.Close(through(ctx), req)
}

func (d door) Acknowledge(ctx context.Context, req *portinv1.AcknowledgeAttentionRequest) (*portinv1.PortInOrder, error) {
	return d.Intake.Acknowledge(through(ctx), req)
}
