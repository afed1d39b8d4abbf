package carrier_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
)

// doorman is a carrier that lets one user in, and knows no port-ins.
type doorman struct {
	lets atomic.Pointer[string]
	met  atomic.Pointer[[]string]
}

func (d *doorman) serve(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	met := append(append([]string(nil), *d.met.Load()...), user+":"+password)
	d.met.Store(&met)
	if user+":"+password != *d.lets.Load() {
		answering(http.StatusUnauthorized, typeJSON, sorry)(w, r)
		return
	}
	if r.Method == http.MethodGet {
		answering(http.StatusNotFound, typeJSON, sorry)(w, r)
		return
	}
	answering(http.StatusOK, typeJSON, plainAccepted)(w, r)
}

func newDoorman(lets string) *doorman {
	d := &doorman{}
	d.lets.Store(&lets)
	d.met.Store(&[]string{})
	return d
}

// Other credentials count from the next exchange on, and end a pause that those before brought about.
func TestFault06_RenewedCredentialsEndThePause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDoorman("porter:new")
		c, posts := servePipes(t, settings(""), d.serve)
		for range 3 {
			settles(t, c.Submit(t.Context(), order), carrier.NotSent)
		}
		paused(t, c, fault.ReasonCarrierCredentials, 30*time.Second)

		if err := c.Renew("porter", "new"); err != nil {
			t.Fatal(err)
		}
		flows(t, c)
		settles(t, c.Submit(t.Context(), order), carrier.Accepted)
		posted(t, posts, 4)
		want := []string{"porter:hunter2", "porter:hunter2", "porter:hunter2", "porter:new"}
		if diff := cmp.Diff(want, *d.met.Load()); diff != "" {
			t.Errorf("credentials that the carrier met (-want +got):\n%s", diff)
		}
	})
}

// A Client without credentials never asks, and says so; it can be given some, and they can be taken away.
func TestAShutClientAsksForNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDoorman("porter:hunter2")
		c, posts := servePipes(t, carrier.Config{}, d.serve)
		shut := func() {
			t.Helper()
			paused(t, c, fault.ReasonCarrierCredentials, 30*time.Second)
			if _, err := c.StatusByNumber(t.Context(), 4165550123); !fault.Is(err, fault.ReasonCarrierCredentials) {
				t.Errorf("a status: %v", err)
			}
			if _, err := c.Trunks(t.Context()); !fault.Is(err, fault.ReasonCarrierCredentials) {
				t.Errorf("a list: %v", err)
			}
		}
		shut()
		if err := c.Renew("porter", "hunter2"); err != nil {
			t.Fatal(err)
		}
		settles(t, c.Submit(t.Context(), order), carrier.Accepted)
		c.Shut()
		shut()
		pass(time.Hour) // no pause ends it
		shut()
		posted(t, posts, 1)
		if diff := cmp.Diff([]string{"porter:hunter2"}, *d.met.Load()); diff != "" {
			t.Errorf("credentials that the carrier met (-want +got):\n%s", diff)
		}
	})
}

// Credentials that cannot be used leave those that are in use.
func TestCredentialsThatCannotBeUsedChangeNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDoorman("porter:hunter2")
		c, _ := servePipes(t, settings(""), d.serve)
		for problem, login := range map[string][2]string{
			"Username is missing": {"", "secret7"}, "Password is missing": {"porter", ""}, "colon": {"por:ter", "secret7"},
		} {
			err := c.Renew(login[0], carrier.Secret(login[1]))
			if err == nil || !strings.Contains(err.Error(), problem) || strings.Contains(err.Error(), "secret7") {
				t.Errorf("%s: %v", problem, err)
			}
		}
		settles(t, c.Submit(t.Context(), order), carrier.Accepted)
	})
}

// interrupted is a context that does something when an exchange begins, which is after the way to the carrier was found open.
type interrupted struct {
	context.Context

	once *sync.Once
	do   func()
}

func (i interrupted) Deadline() (time.Time, bool) {
	i.once.Do(i.do)
	return i.Context.Deadline()
}

// An exchange that was let through is had with the credentials that it was let through with: without any, or with others, the
// carrier's answer would be held against those.
func TestAnExchangeKeepsItsCredentials(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c *carrier.Client) error{
		"taken away": func(c *carrier.Client) error { c.Shut(); return nil },
		"renewed":    func(c *carrier.Client) error { return c.Renew("porter", "new") },
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDoorman("porter:hunter2")
			c, _ := servePipes(t, settings(""), d.serve)
			during := func() context.Context {
				if err := c.Renew("porter", "hunter2"); err != nil {
					t.Fatal(err)
				}
				return interrupted{t.Context(), new(sync.Once), func() {
					if err := change(c); err != nil {
						t.Error(err)
					}
				}}
			}
			settles(t, c.Submit(during(), order), carrier.Accepted)
			if _, err := c.StatusByNumber(during(), 4165550123); !fault.Is(err, fault.ReasonPortInNotFound) {
				t.Errorf("%s: a status: %v", name, err)
			}
			if diff := cmp.Diff([]string{"porter:hunter2", "porter:hunter2"}, *d.met.Load()); diff != "" {
				t.Errorf("%s: credentials that the carrier met (-want +got):\n%s", name, diff)
			}
		})
	}
}

// Look-ups are let through one in a pause once the carrier has refused the credentials of a few in a row: each further one could
// lock the account, and most of a day nobody orders anything.
func TestFault06_LookUpsDoNotLockTheAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDoorman("porter:new")
		c, _ := servePipes(t, settings(""), d.serve)
		refused := func(want int) {
			t.Helper()
			before := len(*d.met.Load())
			for range 10 {
				if _, err := c.StatusByNumber(t.Context(), 4165550123); !fault.Is(err, fault.ReasonCarrierCredentials) {
					t.Errorf("a status: %v", err)
				}
			}
			if got := len(*d.met.Load()) - before; got != want {
				t.Errorf("the carrier met %d look-ups, want %d", got, want)
			}
		}
		refused(3)
		_, err := c.StatusByNumber(t.Context(), 4165550123)
		if got := fault.From(err).RetryAfter; got != 30*time.Second {
			t.Errorf("the next one may come in %v", got)
		}
		for range 3 {
			pass(31 * time.Second)
			refused(1)
		}
		flows(t, c) // an order has a gate of its own

		if err := c.Renew("porter", "newer"); err != nil {
			t.Fatal(err)
		}
		refused(3)
		let := "porter:newer"
		d.lets.Store(&let)
		pass(31 * time.Second)
		before := len(*d.met.Load())
		for range 10 {
			if _, err := c.StatusByNumber(t.Context(), 4165550123); !fault.Is(err, fault.ReasonPortInNotFound) {
				t.Errorf("a status: %v", err)
			}
		}
		if got := len(*d.met.Load()) - before; got != 10 {
			t.Errorf("the carrier met %d look-ups with the right password, want 10", got)
		}
	})
}

// While the one look-up that is let through has no answer, no other one is.
func TestFault06_OneLookUpGoesThroughAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		release := make(chan struct{})
		c, _ := servePipes(t, settings(""), func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) > 3 {
				<-release
			}
			answering(http.StatusUnauthorized, typeJSON, sorry)(w, r)
		})
		for range 3 {
			_, _ = c.Trunks(t.Context())
		}
		pass(31 * time.Second)
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { _, _ = c.Trunks(t.Context()) })
		}
		synctest.Wait()
		if n := asked.Load(); n != 4 {
			t.Errorf("the carrier met %d look-ups, want 4", n)
		}
		close(release)
		all.Wait()
	})
}

// An account may not be allowed one list, which says nothing about its password.
func TestFault06_AListThatIsForbiddenHoldsNothingUp(t *testing.T) {
	t.Parallel()
	var m mood
	m.set(http.StatusForbidden, sorry)
	url, posts := serve(t, m.serve)
	c := client(t, settings(url))
	for range 10 {
		if _, err := c.Trunks(t.Context()); !fault.Is(err, fault.ReasonCarrierCredentials) {
			t.Errorf("a list: %v", err)
		}
	}
	m.set(http.StatusNotFound, sorry)
	if _, err := c.StatusByNumber(t.Context(), 4165550123); !fault.Is(err, fault.ReasonPortInNotFound) {
		t.Errorf("a status: %v", err)
	}
	posted(t, posts, 0)
}
