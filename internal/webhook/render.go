package webhook

import (
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
	// The first is that before this one. An older one may be good for longer, but not for who has that one.
	if len(e.old) > 0 && now.Before(e.old[0].until) {
		out.OldSecretExpireTime = stamp(e.old[0].until)
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
