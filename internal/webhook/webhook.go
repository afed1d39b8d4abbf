// Package webhook tells the callers' own servers what happens to orders, as the Standard Webhooks specification has it.
//
// It promises that every event that an endpoint wants is delivered to it at least once or given up after three days and
// kept, that the events of one order come one after the other, that every try is signed, and that nothing is ever sent to
// an address inside a network. It refuses to follow redirects, to log where an endpoint is or what it answered, and to
// know how an event looks: that is handed in.
package webhook

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/ledger"
)

// Ledger is what webhooks need of the store.
type Ledger interface {
	ledger.Hooks
	ledger.Feed
	// ID is the ledger's own identity; page tokens and webhook-ids belong to it.
	ID() string
}

// Config is what an operator decides. The zero value of a number takes the one that the field names.
type Config struct {
	// MaxEndpoints is how many endpoints a tenant may have; 0 means 50.
	MaxEndpoints int
	// AtOnce is how many deliveries are under way at once, and PerEndpoint how many of them to one endpoint; 0 means 64 and 4.
	AtOnce, PerEndpoint int
	// Keep is how long deliveries are kept that were taken or given up, or wait for a disabled endpoint, counted from their
	// event; 0 means 30 days.
	Keep time.Duration
	// Grace is how long deliveries under way may take to end when the service stops; 0 means 5 seconds.
	Grace time.Duration
	// AllowHTTP accepts URLs without encryption, and AllowInward addresses inside a network. Both are for development: whoever
	// may create an endpoint can then make the service talk to whatever it can reach.
	AllowHTTP, AllowInward bool
}

// usual is the configuration with its zeros replaced.
func (c Config) usual() Config {
	for _, n := range []struct {
		is    *int
		usual int
	}{{&c.MaxEndpoints, 50}, {&c.AtOnce, 64}, {&c.PerEndpoint, 4}} {
		if *n.is == 0 {
			*n.is = n.usual
		}
	}
	if c.Keep == 0 {
		c.Keep = 30 * 24 * time.Hour
	}
	if c.Grace == 0 {
		c.Grace = 5 * time.Second
	}
	return c
}

// Params are what New needs.
type Params struct {
	Config Config
	Ledger Ledger
	// Render is an event as callers see it.
	Render func(ledger.Event) *portinv1.PortInOrderEvent
	Log    *slog.Logger
	// Observer is told how deliveries fare; nil is nobody.
	Observer Observer
	// Now is the clock, and Chance a number from 0 to 1, without 1; nil is the system's clock and true chance.
	Now    func() time.Time
	Chance func() float64
	// Resolver finds the addresses of hosts; nil is the system's own.
	Resolver *net.Resolver
}

// Webhooks are the endpoints and what is delivered to them. Build them with New; their methods are safe for concurrent
// use. Nothing is delivered unless Run runs.
type Webhooks struct {
	config   Config
	ledger   Ledger
	render   func(ledger.Event) *portinv1.PortInOrderEvent
	log      *slog.Logger
	observer Observer
	now      func() time.Time
	chance   func() float64
	client   *http.Client
	desk     *desk
	// lookEvery and takeEvery are how often events, and deliveries that are due, are looked for when nothing hints at any.
	lookEvery, takeEvery time.Duration
}

// New builds webhooks.
func New(p Params) *Webhooks {
	w := &Webhooks{
		config: p.Config.usual(), ledger: p.Ledger, render: p.Render, log: p.Log, observer: p.Observer, now: p.Now, chance: p.Chance,
		lookEvery: lookEvery, takeEvery: takeEvery,
	}
	if w.observer == nil {
		w.observer = nobody{}
	}
	if w.now == nil {
		w.now = time.Now
	}
	if w.chance == nil {
		w.chance = rand.Float64
	}
	w.client = newClient(newTransport(p.Resolver, w.config, refuseInward))
	w.desk = newDesk(w.config.AtOnce, w.config.PerEndpoint)
	return w
}

// Run delivers events until ctx ends; deliveries under way then get a short grace. Those that it cuts short are tried again
// by whoever comes next.
func (w *Webhooks) Run(ctx context.Context) {
	var work sync.WaitGroup
	work.Go(func() { w.fanOut(ctx) })
	work.Go(func() { w.dispatch(ctx) })
	work.Go(func() { w.forget(ctx) })
	work.Wait()
	w.client.CloseIdleConnections()
}

// storeTimeout bounds every round with the ledger.
const storeTimeout = 10 * time.Second
