package ledger

import (
	"context"
	"time"
)

// Hooks is what webhooks keep: who is to be told, and what became of it.
type Hooks interface {
	// PutEndpoint writes an endpoint. One of Version 1 is new, and its Cursor becomes the Head of this moment, whatever it
	// says; when its ID is taken, by any tenant, PutEndpoint returns the endpoint that has it, and ErrMoved. A later version
	// replaces the one before, but for Tenant, Cursor and Created: when another version is there, it comes back with ErrMoved,
	// and ErrNotFound when the tenant has no such endpoint.
	PutEndpoint(ctx context.Context, e Endpoint) (Endpoint, error)

	// DeleteEndpoint removes a tenant's endpoint with its deliveries; one that is not there is removed.
	DeleteEndpoint(ctx context.Context, tenant, endpointID string) error

	// Endpoints returns the endpoints of a tenant, or of all when the tenant is empty, the oldest first (Created, then
	// EndpointID).
	Endpoints(ctx context.Context, tenant string) ([]Endpoint, error)

	// Enqueue adds deliveries to an endpoint and moves its Cursor from one place to a later one. ErrMoved when the cursor is
	// elsewhere, and ErrNotFound when the endpoint is gone: nothing is written then. Of a delivery it takes OrderID, Sequence,
	// Time and Due: it is Pending.
	Enqueue(ctx context.Context, endpointID string, from, to int64, deliveries []Delivery) error

	// DueEndpoints returns the enabled endpoints that have a delivery which TakeDeliveries would hand out, in any order.
	DueEndpoints(ctx context.Context, now time.Time) ([]string, error)

	// TakeDeliveries hands out deliveries of an enabled endpoint that are due, the longest due first, to one taker each: what
	// one gets is not due again before until. Of the pending deliveries of one order only the one with the lowest sequence is
	// handed out. It raises Fence, by which the taker's SettleDelivery is told from a later one's.
	TakeDeliveries(ctx context.Context, endpointID string, now, until time.Time, limit int) ([]Delivery, error)

	// SettleDelivery writes what became of a delivery that was taken: State, Attempt, Due and Content. ErrMoved when the fence
	// is another one, and ErrNotFound when the delivery is gone.
	SettleDelivery(ctx context.Context, d Delivery) error

	// Deliveries returns at most limit deliveries of a tenant's endpoint in one of the states (none is every state), the
	// highest sequence first, of those with a lower sequence than before (0 is no bound), and whether there are more;
	// ErrNotFound when there is no such endpoint.
	Deliveries(ctx context.Context, tenant, endpointID string, states []DeliveryState, before int64, limit int) ([]Delivery, bool, error)

	// PendingDeliveries counts the pending deliveries of each endpoint of a tenant, or of all when the tenant is empty; an
	// endpoint that has none is left out.
	PendingDeliveries(ctx context.Context, tenant string) (map[string]int, error)

	// Redeliver makes deliveries of a tenant's endpoint pending again, due now, with Attempt 0: those in one of the states with
	// this sequence or a higher one. It raises Fence, so that whoever had taken one before cannot settle it. It returns how many;
	// ErrNotFound when there is no such endpoint.
	Redeliver(ctx context.Context, tenant, endpointID string, from int64, states []DeliveryState, now time.Time) (int, error)

	// ForgetDeliveries removes at most limit deliveries whose Time is before this one and that are not pending, or whose
	// endpoint is disabled, and returns how many.
	ForgetDeliveries(ctx context.Context, before time.Time, limit int) (int, error)
}

// Endpoint is a webhook endpoint at rest.
type Endpoint struct {
	// EndpointID is a UUID, and Tenant whom it tells about.
	EndpointID, Tenant string
	// Version counts the changes, from 1.
	Version int64
	// Disabled tells that nothing is delivered to it.
	Disabled bool
	// Cursor is the sequence up to which events were looked at for it.
	Cursor int64
	// Content is everything else, its secrets too, in a form that only webhook reads.
	Content []byte
	Created time.Time
}

// Delivery is an event on its way to an endpoint.
type Delivery struct {
	EndpointID string
	// OrderID, Sequence and Time are the event's.
	OrderID  string
	Sequence int64
	Time     time.Time
	State    DeliveryState
	// Attempt counts the tries, and Due is when it is tried next; it means nothing unless the delivery is Pending.
	Attempt int
	Due     time.Time
	// Fence counts how often it was taken or made pending again.
	Fence int64
	// Content is what became of the latest try, in a form that only webhook reads.
	Content []byte
}

// DeliveryState is where a delivery stands, as the contract names it without its prefix WEBHOOK_DELIVERY_STATE_.
type DeliveryState string

// The states of deliveries.
const (
	DeliveryPending   DeliveryState = "PENDING"
	DeliveryDelivered DeliveryState = "DELIVERED"
	DeliveryGivenUp   DeliveryState = "GIVEN_UP"
)
