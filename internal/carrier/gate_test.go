package carrier_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
)

// mood is what a moody carrier answers with: an HTTP status and a body, which a test changes as it goes.
type mood struct{ now atomic.Pointer[meeting] }

func (m *mood) set(status int, body string) { m.now.Store(&meeting{status: status, body: body}) }

func (m *mood) serve(w http.ResponseWriter, r *http.Request) {
	now := m.now.Load()
	answering(now.status, typeJSON, now.body)(w, r)
}

// paused asserts a submission that the breaker held back.
func paused(t *testing.T, c *carrier.Client, reason fault.Reason, wait time.Duration) {
	t.Helper()
	out := settles(t, c.Submit(t.Context(), order), carrier.NotSent)
	if !fault.Is(out.Fault, reason) || out.Fault.RetryAfter != wait {
		t.Errorf("fault %v after %v, want %s after %v", out.Fault, out.Fault.RetryAfter, reason, wait)
	}
	if got, ok := c.Paused(); !ok || got != reason {
		t.Errorf("paused: %q %v, want %s", got, ok, reason)
	}
}

func flows(t *testing.T, c *carrier.Client) {
	t.Helper()
	if reason, ok := c.Paused(); ok {
		t.Errorf("submissions pause: %s", reason)
	}
}

func TestFault06_RefusedCredentialsPauseSubmissionsAndRecover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m mood
		c, posts := servePipes(t, settings(""), m.serve)
		m.set(http.StatusUnauthorized, sorry)
		for range 3 {
			flows(t, c)
			out := settles(t, c.Submit(t.Context(), order), carrier.NotSent)
			if !fault.Is(out.Fault, fault.ReasonCarrierCredentials) || out.Fault.RetryAfter != 0 {
				t.Errorf("fault %v after %v", out.Fault, out.Fault.RetryAfter)
			}
		}
		posted(t, posts, 3)

		paused(t, c, fault.ReasonCarrierCredentials, 30*time.Second)
		pass(20*time.Second + time.Millisecond)
		paused(t, c, fault.ReasonCarrierCredentials, 10*time.Second)
		posted(t, posts, 3)

		// One goes through after the pause and is refused: another pause.
		pass(10 * time.Second)
		settles(t, c.Submit(t.Context(), order), carrier.NotSent)
		posted(t, posts, 4)
		paused(t, c, fault.ReasonCarrierCredentials, 30*time.Second)
		posted(t, posts, 4)

		// The operator has acted. A refused order proves that the credentials are taken as well as an accepted one.
		m.set(http.StatusBadRequest, sorry)
		pass(31 * time.Second)
		settles(t, c.Submit(t.Context(), order), carrier.Refused)
		flows(t, c)
		m.set(http.StatusOK, plainAccepted)
		for range 5 {
			settles(t, c.Submit(t.Context(), order), carrier.Accepted)
		}
		posted(t, posts, 10)
	})
}

func TestFault06_OneGoesThroughAtATimeAfterThePause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var healthy atomic.Bool
		release := make(chan struct{})
		config := settings("")
		config.Breaker = carrier.Breaker{Credentials: 1, Pause: time.Minute}
		c, posts := servePipes(t, config, func(w http.ResponseWriter, r *http.Request) {
			if !healthy.Load() {
				answering(http.StatusForbidden, "text/html", htmlPage)(w, r)
				return
			}
			<-release
			answering(http.StatusOK, typeJSON, plainAccepted)(w, r)
		})
		settles(t, c.Submit(t.Context(), order), carrier.NotSent)
		healthy.Store(true)
		pass(61 * time.Second)
		probe := make(chan carrier.Outcome)
		go func() { probe <- c.Submit(t.Context(), order) }()
		synctest.Wait()
		paused(t, c, fault.ReasonCarrierCredentials, time.Second)
		posted(t, posts, 2)
		close(release)
		settles(t, <-probe, carrier.Accepted)
		flows(t, c)
	})
}

func TestFault03_AnUnreachableCarrierPausesSubmissions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int32
		var seen []carrier.Class
		config := settings("http://localhost")
		config.Observe = func(_ context.Context, o carrier.Observation) { seen = append(seen, o.Class) }
		c, err := carrier.NewWithDial(config, func(context.Context, string, string) (net.Conn, error) {
			dials.Add(1)
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			flows(t, c)
			settles(t, c.Submit(t.Context(), order), carrier.NotSent)
		}
		paused(t, c, fault.ReasonCarrierUnreachable, 30*time.Second)
		if dials.Load() != 5 {
			t.Errorf("%d dials", dials.Load())
		}
		if last := seen[len(seen)-1]; last != carrier.ClassPaused {
			t.Errorf("observed %q", last)
		}
		// Look-ups still try; they are how the reconciler and the operator find out.
		if _, err := c.Account(t.Context()); !fault.Is(err, fault.ReasonCarrierUnreachable) {
			t.Errorf("look-up: %v", err)
		}
		pass(31 * time.Second)
		settles(t, c.Submit(t.Context(), order), carrier.NotSent)
		if dials.Load() != 5+3+1 {
			t.Errorf("%d dials", dials.Load())
		}
	})
}

// TestOnlyFailuresOfOneKindInARowPause holds that a streak is of one kind, that a carrier which read an order ends it,
// and that what proves nothing neither makes nor ends one.
func TestOnlyFailuresOfOneKindInARowPause(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statuses []int // 299 stands for in doubt
		paused   bool
	}{
		"three":                    {[]int{401, 403, 401}, true},
		"two":                      {[]int{401, 401}, false},
		"an order between":         {[]int{401, 401, 200, 401, 401}, false},
		"a refusal between":        {[]int{401, 401, 400, 401, 401}, false},
		"in doubt between":         {[]int{401, 299, 401, 299, 401}, true},
		"busy between":             {[]int{401, 429, 401, 429, 401}, true},
		"only in doubt":            {[]int{299, 500, 502, 299, 500, 502, 299, 500, 502}, false},
		"only busy":                {[]int{429, 429, 429, 429, 429, 429, 429}, false},
		"refused orders are right": {[]int{400, 400, 400, 400, 400, 400, 400}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var m mood
			url, _ := serve(t, m.serve)
			client := client(t, settings(url))
			for _, status := range c.statuses {
				body := sorry
				if status == http.StatusOK {
					body = plainAccepted
				}
				m.set(status, body)
				client.Submit(t.Context(), order)
			}
			if _, ok := client.Paused(); ok != c.paused {
				t.Errorf("paused: %v, want %v", ok, c.paused)
			}
		})
	}
}

// TestAProbeThatProvesNothingLetsTheNextOneThrough is about the submission after a pause that ends in doubt.
func TestAProbeThatProvesNothingLetsTheNextOneThrough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m mood
		config := settings("")
		config.Breaker = carrier.Breaker{Credentials: 1, Pause: time.Minute}
		c, posts := servePipes(t, config, m.serve)
		m.set(http.StatusUnauthorized, "")
		settles(t, c.Submit(t.Context(), order), carrier.NotSent)
		pass(61 * time.Second)
		m.set(http.StatusBadGateway, "")
		settles(t, c.Submit(t.Context(), order), carrier.InDoubt)
		if _, ok := c.Paused(); !ok {
			t.Error("an order in doubt ended the pause")
		}
		m.set(http.StatusOK, plainAccepted)
		settles(t, c.Submit(t.Context(), order), carrier.Accepted)
		flows(t, c)
		posted(t, posts, 3)
	})
}

func TestCallersWhoLeaveProveNothing(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, answering(200, typeJSON, plainAccepted))
	c := client(t, settings(url))
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 10 {
		settles(t, c.Submit(gone, order), carrier.NotSent)
	}
	flows(t, c)
}

// TestFault06_NothingIsAskedWhileRefusedCredentialsPause: a look-up with a bad password can lock the account as well as
// an order can.
func TestFault06_NothingIsAskedWhileRefusedCredentialsPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m mood
		var asked atomic.Int32
		c, _ := servePipes(t, settings(""), func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			m.serve(w, r)
		})
		m.set(http.StatusUnauthorized, sorry)
		for range 3 {
			settles(t, c.Submit(t.Context(), order), carrier.NotSent)
		}
		_, err := c.StatusByNumber(t.Context(), 4165550123)
		_, listErr := c.Trunks(t.Context())
		for _, err := range []error{err, listErr} {
			if f := fault.From(err); f == nil || f.Reason != fault.ReasonCarrierCredentials || f.RetryAfter != 30*time.Second {
				t.Errorf("while submissions pause: %v", err)
			}
		}
		if got := asked.Load(); got != 3 {
			t.Errorf("the carrier was asked %d times, want 3", got)
		}
		m.set(http.StatusOK, wholeStatus)
		pass(31 * time.Second)
		if _, err := c.StatusByNumber(t.Context(), 4165550123); err != nil || asked.Load() != 4 {
			t.Errorf("after the pause: %v, asked %d times", err, asked.Load())
		}
	})
}

// Look-ups that are refused in a row pause all look-ups. In between, only an answer shows that the credentials are taken.
func TestFault06_OnlyAnAnswerShowsThatLookupsAreTaken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		locks  bool
	}{
		"a status": {http.StatusOK, wholeStatus, false}, "none": {http.StatusNotFound, sorry, false},
		"not for this account": {http.StatusForbidden, sorry, true}, "an error": {http.StatusInternalServerError, sorry, true},
		"too much": {http.StatusTooManyRequests, sorry, true}, "no status": {http.StatusOK, "<html>", true},
	} {
		synctest.Test(t, func(t *testing.T) {
			var m mood
			var asked atomic.Int32
			client, _ := servePipes(t, settings(""), func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				m.serve(w, r)
			})
			ask := func(status int, body string) error {
				m.set(status, body)
				_, err := client.StatusByNumber(t.Context(), 4165550123)
				return err
			}
			for range 2 {
				_ = ask(http.StatusUnauthorized, sorry)
			}
			_ = ask(c.status, c.body)
			_ = ask(http.StatusUnauthorized, sorry)
			before := asked.Load()
			err := ask(http.StatusOK, wholeStatus)
			if locked := asked.Load() == before; locked != c.locks || locked != fault.Is(err, fault.ReasonCarrierCredentials) {
				t.Errorf("%s between three that were refused: locked %v, want %v: %v", name, locked, c.locks, err)
			}
		})
	}
}
