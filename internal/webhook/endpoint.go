package webhook

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/ledger"
)

// spec is what a caller decides about an endpoint.
type spec struct {
	URL         string                          `json:"url"`
	Description string                          `json:"description,omitempty"`
	EventTypes  []portinv1.PortInOrderEventType `json:"event_types,omitempty"`
	States      []portinv1.OrderState           `json:"states,omitempty"`
	Categories  []portinv1.Category             `json:"categories,omitempty"`
	Disabled    bool                            `json:"disabled,omitempty"`
}

// specOf reads what a caller wrote. The lists are sets: they come in the order of the contract, each value once.
func specOf(e *portinv1.WebhookEndpoint) spec {
	return spec{
		URL: e.GetUrl(), Description: e.GetDescription(), Disabled: e.GetDisabled(),
		EventTypes: set(e.GetEventTypes()), States: set(e.GetStates()), Categories: set(e.GetCategories()),
	}
}

func set[E ~int32](list []E) []E {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

func (s spec) equal(t spec) bool {
	return s.URL == t.URL && s.Description == t.Description && s.Disabled == t.Disabled && s.filtersAs(t)
}

// filtersAs reports whether it lets the same events pass as another one.
func (s spec) filtersAs(t spec) bool {
	return slices.Equal(s.EventTypes, t.EventTypes) && slices.Equal(s.States, t.States) && slices.Equal(s.Categories, t.Categories)
}

// endpoint is an endpoint as it was read, or as it is to be written. It does not change but by making another one.
type endpoint struct {
	id, tenant string
	version    int64
	cursor     int64
	created    time.Time

	spec
	// made is what the caller decided at first, and rotated when the secret last changed.
	made    spec
	rotated time.Time
	secret  secret
	old     []oldSecret
	// why is why the service disabled it, updated when somebody last changed it, and anew since when it has been enabled, or
	// has had its URL.
	why           string
	updated, anew time.Time
	// succeeded is when it last took an event, to the minute. failing is since when its tries have failed, without a lull between
	// them, and tried when the latest of these was, to the hour.
	succeeded, failing, tried time.Time
}

// stint is an endpoint for as long as it is enabled and has one URL: how it fared before says nothing about how it fares now.
type stint struct {
	id string
	// since is endpoint.anew in microseconds.
	since int64
}

func (e endpoint) stint() stint { return stint{e.id, e.anew.UnixMicro()} }

// String names it, without its URL and its secrets.
func (e endpoint) String() string { return "endpoint " + e.id }

// GoString is the same, for %#v.
func (e endpoint) GoString() string { return e.String() }

// atRest is an endpoint's content in the ledger: the one place that holds secrets as texts, for no longer than it takes to
// read or write them.
type atRest struct {
	Spec      spec        `json:"spec"`
	Made      spec        `json:"made"`
	Rotated   time.Time   `json:"rotated,omitzero"`
	Secret    string      `json:"secret"`
	Old       []oldAtRest `json:"old,omitempty"`
	Why       string      `json:"why,omitempty"`
	Updated   time.Time   `json:"updated"`
	Anew      time.Time   `json:"anew"`
	Succeeded time.Time   `json:"succeeded,omitzero"`
	Failing   time.Time   `json:"failing,omitzero"`
	Tried     time.Time   `json:"tried,omitzero"`
}

type oldAtRest struct {
	Secret string    `json:"secret"`
	Until  time.Time `json:"until"`
}

// opened reads an endpoint of the ledger. The error does not quote it.
func opened(r ledger.Endpoint) (endpoint, error) {
	var c atRest
	if err := json.Unmarshal(r.Content, &c); err != nil {
		return endpoint{}, fmt.Errorf("the content of endpoint %s cannot be read", r.EndpointID)
	}
	e := endpoint{
		id: r.EndpointID, tenant: r.Tenant, version: r.Version, cursor: r.Cursor, created: r.Created, spec: c.Spec, made: c.Made,
		rotated: c.Rotated, why: c.Why, updated: c.Updated, anew: c.Anew, succeeded: c.Succeeded, failing: c.Failing, tried: c.Tried,
	}
	e.Disabled = r.Disabled
	var err error
	if e.secret, err = readSecret(c.Secret); err != nil {
		return endpoint{}, fmt.Errorf("endpoint %s: %w", e.id, err)
	}
	for _, o := range c.Old {
		old := oldSecret{until: o.Until}
		if old.secret, err = readSecret(o.Secret); err != nil {
			return endpoint{}, fmt.Errorf("endpoint %s: %w", e.id, err)
		}
		e.old = append(e.old, old)
	}
	return e, nil
}

// record is the endpoint as the ledger keeps it.
func (e endpoint) record() ledger.Endpoint {
	c := atRest{
		Spec: e.spec, Made: e.made, Rotated: e.rotated, Secret: e.secret.reveal(), Why: e.why, Updated: e.updated, Anew: e.anew,
		Succeeded: e.succeeded, Failing: e.failing, Tried: e.tried,
	}
	for _, o := range e.old {
		c.Old = append(c.Old, oldAtRest{Secret: o.secret.reveal(), Until: o.until})
	}
	content, err := json.Marshal(c) //nolint:gosec // the ledger is where the secret is kept: signing needs it
	if err != nil {
		panic("webhook: an endpoint cannot be written as JSON") // all plain, and the error might quote it
	}
	return ledger.Endpoint{
		EndpointID: e.id, Tenant: e.tenant, Version: e.version, Disabled: e.Disabled, Cursor: e.cursor, Content: content, Created: e.created,
	}
}

// secrets are those that deliveries are signed with at a time, the newest first.
func (e endpoint) secrets(now time.Time) []secret {
	all := []secret{e.secret}
	for _, o := range e.valid(now) {
		all = append(all, o.secret)
	}
	return all
}

// valid are the old secrets whose time is not over.
func (e endpoint) valid(now time.Time) []oldSecret {
	return slices.DeleteFunc(slices.Clone(e.old), func(o oldSecret) bool { return !now.Before(o.until) })
}
