package webhook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

// repeatable is how long the same creation answers the same secret.
const repeatable = 24 * time.Hour

// CreateEndpoint registers an endpoint of a tenant, or answers the one that the same call registered before.
func (w *Webhooks) CreateEndpoint(
	ctx context.Context, tenant string, req *portinv1.CreateWebhookEndpointRequest,
) (*portinv1.CreateWebhookEndpointResponse, error) {
	want, id := specOf(req.GetEndpoint()), strings.ToLower(req.GetEndpointId())
	all, err := w.ledger.Endpoints(ctx, tenant)
	if err != nil {
		return nil, storeFault(ctx, err)
	}
	// The id is read first: what was accepted once is not refused by a rule that has changed since.
	for _, r := range all {
		if id != "" && r.EndpointID == id {
			return w.recreated(ctx, tenant, want, r)
		}
	}
	if problem := w.config.urlProblem(want.URL); problem != "" {
		return nil, fault.Fields([]fault.Violation{{Field: "endpoint.url", Description: problem}})
	}
	if len(all) >= w.config.MaxEndpoints {
		return nil, fault.New(fault.ReasonTooManyWebhookEndpoints,
			fmt.Sprintf("there are %d webhook endpoints, and more are not allowed; delete one, or update one", len(all)))
	}
	if id == "" {
		id = uuid.Must(uuid.NewV7()).String()
	}
	now := w.moment()
	made := endpoint{id: id, tenant: tenant, version: 1, created: now, spec: want, made: want, secret: newSecret(), updated: now, anew: now}
	kept, err := w.ledger.PutEndpoint(ctx, made.record())
	switch {
	case errors.Is(err, ledger.ErrMoved):
		return w.recreated(ctx, tenant, want, kept)
	case err != nil:
		return nil, storeFault(ctx, err)
	}
	return &portinv1.CreateWebhookEndpointResponse{Endpoint: made.rendered(0, now), Secret: made.secret.reveal()}, nil
}

// recreated answers a creation whose endpoint is there already.
func (w *Webhooks) recreated(ctx context.Context, tenant string, want spec, r ledger.Endpoint) (*portinv1.CreateWebhookEndpointResponse, error) {
	reused := func(message string) error { return fault.New(fault.ReasonWebhookEndpointIDReused, message) }
	if r.Tenant != tenant {
		return nil, reused("the endpoint_id is taken; choose another one")
	}
	e, err := opened(r)
	if err != nil {
		return nil, fault.Internal(err)
	}
	now := w.moment()
	switch {
	case !e.made.equal(want):
		return nil, reused("the endpoint_id was used for an endpoint with other content; choose another one, or update the endpoint")
	case now.Sub(e.created) >= repeatable, !e.rotated.IsZero():
		return nil, reused("the endpoint was created more than a day ago, or its secret was rotated since; rotate the secret to get one")
	}
	pending, err := w.pending(ctx, e)
	if err != nil {
		return nil, err
	}
	return &portinv1.CreateWebhookEndpointResponse{Endpoint: e.rendered(pending, now), Secret: e.secret.reveal()}, nil
}

// moment is the time now as the ledger keeps times.
func (w *Webhooks) moment() time.Time { return w.now().UTC().Truncate(time.Microsecond) }

// storeFault is the fault of a ledger that does not do what it was asked for.
func storeFault(ctx context.Context, err error) error {
	var e *fault.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, ledger.ErrNotFound):
		return fault.New(fault.ReasonWebhookEndpointNotFound, "there is no such webhook endpoint; check the endpoint_id").WithCause(err)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fault.New(fault.ReasonDeadlineExceeded, "the deadline ended; ask again").WithCause(err)
	case ctx.Err() != nil:
		return fault.New(fault.ReasonCancelled, "the caller left").WithCause(err)
	}
	return fault.New(fault.ReasonLedgerUnavailable, "the ledger does not answer; ask again").WithRetryAfter(5 * time.Second).WithCause(err)
}
