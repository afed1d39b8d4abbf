package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

// try is what became of the latest try of a delivery, as the ledger keeps it.
type try struct {
	// First is when the first try began, of those that Delivery.Attempt counts, and At when this one did.
	First   time.Time `json:"first"`
	At      time.Time `json:"at"`
	Status  int       `json:"status,omitempty"`
	Problem string    `json:"problem,omitempty"`
}

// tried reads what is kept of a delivery's latest try.
func tried(d ledger.Delivery) (try, error) {
	if len(d.Content) == 0 {
		return try{}, nil
	}
	var t try
	if err := json.Unmarshal(d.Content, &t); err != nil {
		return try{}, fmt.Errorf("the content of delivery %d cannot be read: %w", d.Sequence, err)
	}
	return t, nil
}

func (t try) content() []byte {
	content, err := json.Marshal(t)
	if err != nil {
		panic("webhook: a try cannot be written as JSON: " + err.Error()) // all plain
	}
	return content
}

var states = map[portinv1.WebhookDeliveryState]ledger.DeliveryState{
	portinv1.WebhookDeliveryState_WEBHOOK_DELIVERY_STATE_PENDING:   ledger.DeliveryPending,
	portinv1.WebhookDeliveryState_WEBHOOK_DELIVERY_STATE_DELIVERED: ledger.DeliveryDelivered,
	portinv1.WebhookDeliveryState_WEBHOOK_DELIVERY_STATE_GIVEN_UP:  ledger.DeliveryGivenUp,
}

// Deliveries answers a page of what an endpoint was to be told, the newest event first.
func (w *Webhooks) Deliveries(
	ctx context.Context, tenant string, req *portinv1.ListWebhookDeliveriesRequest,
) (*portinv1.ListWebhookDeliveriesResponse, error) {
	id := strings.ToLower(req.GetEndpointId())
	wanted := set(req.GetStates())
	list := w.bind("deliveries", tenant, id, wanted)
	before, err := readSequence(req.GetPageToken(), list)
	if err != nil {
		return nil, err
	}
	var in []ledger.DeliveryState
	for _, s := range wanted {
		in = append(in, states[s])
	}
	page, more, err := w.ledger.Deliveries(ctx, tenant, id, in, before, pageSize(req.GetPageSize()))
	if err != nil {
		return nil, storeFault(ctx, err)
	}
	resp := &portinv1.ListWebhookDeliveriesResponse{}
	for _, d := range page {
		out, err := w.renderedDelivery(d)
		if err != nil {
			return nil, fault.Internal(err)
		}
		resp.Deliveries = append(resp.Deliveries, out)
	}
	if more && len(page) > 0 {
		resp.NextPageToken = sequence(page[len(page)-1].Sequence).token(list)
	}
	return resp, nil
}

// renderedDelivery is a delivery as callers see it.
func (w *Webhooks) renderedDelivery(d ledger.Delivery) (*portinv1.WebhookDelivery, error) {
	last, err := tried(d)
	if err != nil {
		return nil, err
	}
	out := &portinv1.WebhookDelivery{
		WebhookId: w.webhookID(d), OrderId: d.OrderID, Sequence: d.Sequence, Attempt: int32(d.Attempt),
		State:      portinv1.WebhookDeliveryState(portinv1.WebhookDeliveryState_value["WEBHOOK_DELIVERY_STATE_"+string(d.State)]),
		HttpStatus: int32(last.Status), Problem: last.Problem, AttemptTime: stamp(last.At),
	}
	if d.State == ledger.DeliveryPending {
		out.NextAttemptTime = stamp(d.Due)
	}
	return out, nil
}

// Replay has events of an endpoint delivered again, and answers how many.
func (w *Webhooks) Replay(
	ctx context.Context, tenant string, req *portinv1.ReplayWebhookDeliveriesRequest,
) (*portinv1.ReplayWebhookDeliveriesResponse, error) {
	over := []ledger.DeliveryState{ledger.DeliveryGivenUp, ledger.DeliveryDelivered}
	if req.GetOnlyGivenUp() {
		over = slices.Delete(over, 1, 2)
	}
	n, err := w.ledger.Redeliver(ctx, tenant, strings.ToLower(req.GetEndpointId()), req.GetFromSequence(), over, w.moment())
	if err != nil {
		return nil, storeFault(ctx, err)
	}
	w.desk.wake()
	return &portinv1.ReplayWebhookDeliveriesResponse{ReplayedCount: int32(n)}, nil
}

// errGone says that an event is no longer in the ledger.
var errGone = errors.New("the event is no longer kept")

// event reads the event that a delivery is of.
func (w *Webhooks) event(ctx context.Context, d ledger.Delivery) (ledger.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	found, err := w.ledger.Changes(ctx, d.Sequence-1, 1)
	if err != nil {
		return ledger.Event{}, err
	}
	if len(found) == 0 || found[0].Sequence != d.Sequence || found[0].OrderID != d.OrderID {
		return ledger.Event{}, errGone
	}
	return found[0], nil
}
