package webhook

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// rendered is an endpoint as callers see it.
func (e endpoint) rendered(pending int, now time.Time) *portinv1.WebhookEndpoint {
	out := &portinv1.WebhookEndpoint{
		Url: new(e.URL), Description: new(e.Description), EventTypes: e.EventTypes, States: e.States, Categories: e.Categories,
		Disabled: new(e.Disabled), EndpointId: e.id, DisabledReason: e.why, PendingCount: int32(pending),
		SuccessTime: stamp(e.succeeded), FailingSinceTime: stamp(e.failing), CreateTime: stamp(e.created), UpdateTime: stamp(e.updated),
	}
	if old := e.valid(now); len(old) > 0 {
		out.OldSecretExpireTime = stamp(slices.MaxFunc(old, func(a, b oldSecret) int { return a.until.Compare(b.until) }).until)
	}
	return out
}

// stamp is a time as callers see it; one that has not come yet is absent.
func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
