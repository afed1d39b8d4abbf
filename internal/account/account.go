// Package account knows the service's accounts at the carrier: whose orders go to which, and with what credentials.
//
// It promises that both follow their files without a restart and without cutting an exchange; that broken files change
// nothing but a line in the log and a count; that the carrier is asked for nothing with an account which the files do not name;
// and that no password is shown. It refuses to know orders: each remembers its own account.
package account

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/handfile"
)

// Default is the name of the account of a service that has one alone, and of what such a one has ordered.
const Default = "default"

// Observer is told how the files fare, for metrics. It is called by Run, never at the same time.
type Observer interface {
	// Accounts is told that the files were read anew, and whether they could be used.
	Accounts(ok bool)
}

// Params are what Accounts are built from. Either File or Username is required, and so are Log and Observer.
type Params struct {
	// Carrier is what every account's client is built from, but for the credentials and Observe.
	Carrier carrier.Config
	// Observe, unless it is nil, is the clients' Observe, which is told the name of the account; that of a tenant without one is
	// empty.
	Observe func(ctx context.Context, account string, o carrier.Observation)
	// Username, and Password or what stands in PasswordFile, are those of the account Default, which then is everybody's.
	Username     string
	Password     carrier.Secret
	PasswordFile string
	// File names several accounts and the tenants that have them; see docs/operations.md.
	File string
	// Adopted is the tenant of File that is stored as Default, because it has what was there before there were tenants; empty
	// when there are none.
	Adopted  string
	Log      *slog.Logger
	Observer Observer
	// Every is how often the files are looked at; zero is five seconds.
	Every time.Duration
}

// Accounts are the service's accounts. Build them with New. But for Run, which is called once, their methods are safe for
// concurrent use.
type Accounts struct {
	// params are those without the password, which fmt could not ask in a field like this one how it wants to be printed.
	params Params
	// read is that of the Params with the password.
	read  func() (*book, handfile.Sum, error)
	inUse atomic.Pointer[book]
	looks handfile.Looks // Run's alone

	// nobody is the way to the carrier without an account.
	nobody *carrier.Client

	mu      sync.Mutex
	clients map[string]*carrier.Client
	// missed are the accounts that somebody wanted and the files did not name, and when that was last so.
	missed map[string]time.Time
}

// New reads the files. Its error tells everything that is wrong with them.
func New(p Params) (*Accounts, error) {
	if p.Every <= 0 {
		p.Every = lookEvery
	}
	a := &Accounts{params: p, read: p.read, clients: map[string]*carrier.Client{}, missed: map[string]time.Time{}}
	a.params.Password = ""
	b, found, err := a.read()
	if err != nil {
		return nil, err
	}
	if a.nobody, err = a.client(""); err != nil {
		return nil, err
	}
	if err := a.use(b); err != nil {
		return nil, err
	}
	a.looks.Begin(found)
	return a, nil
}

// Check reports what is wrong with the files.
func Check(p Params) error {
	_, _, err := p.read()
	return err
}

// Of names the account that a tenant's new orders go to; empty when it has none.
func (a *Accounts) Of(tenant string) string {
	b := a.inUse.Load()
	if name, own := b.tenants[tenant]; own {
		return name
	}
	return b.others
}

// Names are the accounts that the files name, in order.
func (a *Accounts) Names() []string {
	return slices.Sorted(maps.Keys(a.inUse.Load().logins))
}

// Carrier is the way to the carrier with an account. With one that the files do not name it is shut.
func (a *Accounts) Carrier(name string) *carrier.Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, known := a.clients[name]; known {
		return c
	}
	if name != "" { // which a tenant without an account has
		a.missed[name] = time.Now()
	}
	return a.nobody
}

// missedFor is longer than an order that is not over goes without anybody wanting its account: one in doubt that waits for an
// operator does for an hour and a fifth.
const missedFor = 2 * time.Hour

// Paused says of each account that the files name, or that an order has which somebody wanted to know of within missedFor, why
// submissions pause; an empty reason is that they do not.
func (a *Accounts) Paused() map[string]fault.Reason {
	a.mu.Lock()
	defer a.mu.Unlock()
	paused := map[string]fault.Reason{}
	maps.DeleteFunc(a.missed, func(_ string, last time.Time) bool { return time.Since(last) > missedFor })
	for name := range a.missed {
		paused[name], _ = a.nobody.Paused()
	}
	for name, c := range a.clients {
		paused[name], _ = c.Paused()
	}
	return paused
}

// Close closes the connections that are not in use.
func (a *Accounts) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.clients {
		c.Close()
	}
}

// Run looks at the files until ctx ends. What they hold counts once two looks have found it: half a file that is being written
// may be one without a tenant, whose orders would go to the account of all others, and keep it.
func (a *Accounts) Run(ctx context.Context) {
	ticker := time.NewTicker(a.params.Every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			a.look(ctx)
		}
	}
}

const lookEvery = 5 * time.Second

func (a *Accounts) look(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			a.params.Log.ErrorContext(ctx, "looking at the carrier accounts panicked", slog.Any("error", fault.Panicked(p)))
		}
	}()
	b, found, err := a.read()
	if !a.looks.Changed(found) {
		return
	}
	if err == nil {
		err = a.use(b)
	}
	a.params.Observer.Accounts(err == nil)
	if err != nil {
		a.params.Log.ErrorContext(ctx, "the carrier accounts have changed and cannot be used; those before stay in force", slog.Any("error", err))
		return
	}
	a.params.Log.InfoContext(ctx, "the carrier accounts have changed", slog.Any("accounts", a.Names()), slog.Int("tenants", len(b.tenants)))
}

// use brings what the files hold into force. A client whose credentials are the same keeps what it knows of them.
func (a *Accounts) use(b *book) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var problems []error
	for name, l := range b.logins {
		problems = append(problems, a.enter(name, l))
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	for name, c := range a.clients {
		if _, still := b.logins[name]; !still {
			c.Shut() // for exchanges that are about to begin
			c.Close()
			delete(a.clients, name)
		}
	}
	a.inUse.Store(b)
	return nil
}

// enter gives an account its client, with the credentials that it now has.
func (a *Accounts) enter(name string, l login) (err error) {
	c, known := a.clients[name]
	switch {
	case !known:
		if c, err = a.client(name); err != nil {
			return err
		}
	case a.inUse.Load().logins[name].same(l):
		return nil
	}
	if err := c.Renew(l.username, *l.password); err != nil {
		return err
	}
	a.clients[name] = c
	delete(a.missed, name)
	return nil
}

// client makes the client of an account, which has no credentials yet.
func (a *Accounts) client(name string) (*carrier.Client, error) {
	config := a.params.Carrier
	if observe := a.params.Observe; observe != nil {
		config.Observe = func(ctx context.Context, o carrier.Observation) { observe(ctx, name, o) }
	}
	return carrier.New(config)
}
