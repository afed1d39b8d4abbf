package webhook

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

// writable are the fields of an endpoint that a caller may change; the others are output, and are ignored.
func writable() []string {
	return []string{"url", "description", "event_types", "states", "categories", "disabled"}
}

// UpdateEndpoint changes the fields of an endpoint that the mask names, or those that are set when it names none.
func (w *Webhooks) UpdateEndpoint(
	ctx context.Context, tenant string, req *portinv1.UpdateWebhookEndpointRequest,
) (*portinv1.WebhookEndpoint, error) {
	fields, err := masked(req)
	if err != nil {
		return nil, err
	}
	before, err := w.find(ctx, tenant, req.GetEndpointId())
	if err != nil {
		return nil, err
	}
	if next, err := w.changed(before, fields, req.GetEndpoint()); err == nil && !next.filtersAs(before.spec) {
		if err := w.lookThrough(ctx, before); err != nil {
			// It is written as the caller wants it. It may be told of a little that happened before.
			w.log.WarnContext(ctx, "a webhook endpoint gets other filters, and was not looked at for what happened before",
				slog.String("endpoint_id", before.id), slog.Any("error", err))
		}
	}
	after, err := w.write(ctx, before, func(now endpoint) (endpoint, error) {
		before = now
		return w.changed(now, fields, req.GetEndpoint())
	})
	if err != nil {
		return nil, err
	}
	if !after.Disabled && (before.Disabled || before.URL != after.URL) {
		w.hurry(ctx, after)
	}
	return w.shown(ctx, after)
}

// masked are the fields that an update names.
func masked(req *portinv1.UpdateWebhookEndpointRequest) ([]string, error) {
	mask := req.GetUpdateMask().GetPaths()
	if len(mask) == 0 {
		return contract.SetPaths(req.GetEndpoint()), nil
	}
	if problem := contract.CheckMask(mask); problem != "" {
		return nil, fault.Fields([]fault.Violation{{Field: "update_mask", Description: problem}})
	}
	known := (*portinv1.WebhookEndpoint)(nil).ProtoReflect().Descriptor().Fields()
	var fields []string
	for _, path := range mask {
		switch {
		case slices.Contains(writable(), path):
			fields = append(fields, path)
		// An output field is ignored in a mask as it is in the endpoint: over JSON a mask has every name of the body, and a body
		// that was an answer before has those too.
		case known.ByName(protoreflect.Name(path)) == nil:
			return nil, fault.Fields([]fault.Violation{{
				Field: "update_mask", Description: "names a field that an endpoint does not have; want url, description, event_types, states, categories or disabled",
			}})
		}
	}
	return fields, nil
}

// changed is an endpoint with fields as a caller wants them.
func (w *Webhooks) changed(now endpoint, fields []string, want *portinv1.WebhookEndpoint) (endpoint, error) {
	merged, from := now.rendered(0, now.created), want.ProtoReflect()
	into := merged.ProtoReflect()
	for _, name := range fields {
		fd := into.Descriptor().Fields().ByName(protoreflect.Name(name))
		into.Clear(fd)
		if from.Has(fd) {
			into.Set(fd, from.Get(fd))
		}
	}
	if violations := w.broken(merged, fields); len(violations) > 0 {
		return endpoint{}, fault.Fields(violations)
	}
	next := now
	next.spec = specOf(merged)
	if next.equal(now.spec) {
		return now, nil
	}
	next.updated = w.moment()
	if now.Disabled != next.Disabled {
		next.why = ""
	}
	if now.Disabled && !next.Disabled || now.URL != next.URL {
		next.anew = next.updated
	}
	return next, nil
}

// broken are the rules that the changed fields of an endpoint break; what is not touched is not judged again.
func (w *Webhooks) broken(e *portinv1.WebhookEndpoint, fields []string) []fault.Violation {
	var violations []fault.Violation
	urlBroken := false
	whole := &portinv1.CreateWebhookEndpointRequest{Endpoint: e}
	for _, v := range contract.Violations(whole) {
		field, _, _ := strings.Cut(strings.TrimPrefix(v.Field, "endpoint."), "[")
		if v.Field != "" && !slices.Contains(fields, field) {
			continue
		}
		urlBroken = urlBroken || field == "url"
		violations = append(violations, fault.Violation{Field: v.Field, Description: v.Description})
	}
	if slices.Contains(fields, "url") && !urlBroken {
		if problem := w.config.urlProblem(e.GetUrl()); problem != "" {
			violations = append(violations, fault.Violation{Field: "endpoint.url", Description: problem})
		}
	}
	contract.SortByField(whole.ProtoReflect().Descriptor(), violations, func(v fault.Violation) string { return v.Field })
	return violations
}

// write changes an endpoint, again and again while others change it at the same time. A change that changes nothing writes
// nothing.
func (w *Webhooks) write(ctx context.Context, now endpoint, change func(endpoint) (endpoint, error)) (endpoint, error) {
	for range maxWrites {
		next, err := change(now)
		if err != nil {
			return endpoint{}, err
		}
		record, same := next.record(), now.record()
		if record.Disabled == same.Disabled && slices.Equal(record.Content, same.Content) {
			return now, nil
		}
		record.Version++
		kept, err := w.ledger.PutEndpoint(ctx, record)
		if err == nil {
			next.version = record.Version
			return next, nil
		}
		if !errors.Is(err, ledger.ErrMoved) {
			return endpoint{}, storeFault(ctx, err)
		}
		if now, err = opened(kept); err != nil {
			return endpoint{}, fault.Internal(err)
		}
	}
	return endpoint{}, changedMeanwhile()
}

// maxWrites is how often a change of an endpoint is tried while others change it.
const maxWrites = 5

func changedMeanwhile() error {
	return fault.New(fault.ReasonWebhookEndpointChanged, "somebody else changed the endpoint at the same time; read it and try again")
}

// hurry has what waits for an endpoint tried now, and its three days begin anew: it was enabled, or is somewhere else now. What
// is under way is tried once more, and how the try under way ends does not count.
func (w *Webhooks) hurry(ctx context.Context, e endpoint) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := w.ledger.Redeliver(ctx, e.tenant, e.id, 0, []ledger.DeliveryState{ledger.DeliveryPending}, w.moment()); err != nil {
		// It is written as the caller wants it. What waits is tried when it is due.
		w.log.WarnContext(ctx, "what waits for a webhook endpoint could not be hurried", slog.String("endpoint_id", e.id), slog.Any("error", err))
		return
	}
	w.desk.wake()
}
