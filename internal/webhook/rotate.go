package webhook

import (
	"context"
	"slices"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

const (
	// usualOverlap is how long an old secret is good when the caller does not say.
	usualOverlap = 24
	// maxOld is how many old secrets are kept: a receiver tries every signature.
	maxOld = 4
)

// RotateSecret gives an endpoint a new secret. The secrets before it stay good until their time is over, also when it is
// rotated again before: a caller that did not get the answer rotates twice, and its receiver has the secret from before both.
func (w *Webhooks) RotateSecret(
	ctx context.Context, tenant string, req *portinv1.RotateWebhookSecretRequest,
) (*portinv1.RotateWebhookSecretResponse, error) {
	before, err := w.find(ctx, tenant, req.GetEndpointId())
	if err != nil {
		return nil, err
	}
	overlap := time.Duration(usualOverlap) * time.Hour
	if req.OverlapHours != nil {
		overlap = time.Duration(req.GetOverlapHours()) * time.Hour
	}
	now, fresh := w.moment(), newSecret()
	after, err := w.write(ctx, before, func(e endpoint) (endpoint, error) {
		if !e.secret.equal(before.secret) {
			return endpoint{}, changedMeanwhile() // somebody else has just been told a new one
		}
		e.old = nil
		if overlap > 0 {
			e.old = append([]oldSecret{{e.secret, now.Add(overlap)}}, before.valid(now)...)
			e.old = slices.Clip(e.old[:min(len(e.old), maxOld)])
		}
		e.secret, e.rotated, e.updated = fresh, now, now
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	shown, err := w.shown(ctx, after)
	if err != nil {
		return nil, err
	}
	return &portinv1.RotateWebhookSecretResponse{Endpoint: shown, Secret: after.secret.reveal()}, nil
}
