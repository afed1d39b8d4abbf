package e2e_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/portin/portin/internal/sandbox"
)

// production is the program as it runs in earnest: in a process of its own, encrypted, asking who calls, at addresses that stay
// and on a ledger that outlives it.
type production struct {
	*authority

	carrier *standin
	// keys are the API keys of the callers, by their names.
	keys map[string]string
	args []string
}

// newProduction prepares it, with callers of one tenant: two who may read, three who may also order, and one for the test.
func newProduction(t *testing.T, e engine) *production {
	t.Helper()
	w := &production{authority: newAuthority(t), carrier: newStandin(t, sandbox.Config{Delay: time.Second}), keys: map[string]string{}}
	roster := "tenants: [acme]\ncallers:\n"
	for name, scopes := range map[string]string{
		"wallboard": "read", "crm": "read", "shop": "read, order", "billing": "read, order", "robot": "read, order", "boss": "read, order",
	} {
		key, sum := apiKey()
		w.keys[name] = key
		roster += fmt.Sprintf("  - {name: %s, tenant: acme, scopes: [%s], key_sha256: %s}\n", name, scopes, sum)
	}
	w.args = append(w.guardedArgs(t, roster), ledgerArg(e.ledger(t)),
		"--grpc-address="+freeAddress(t), "--http-address="+freeAddress(t), "--admin-address="+freeAddress(t),
		"--carrier-post-timeout=3s", "--carrier-get-timeout=3s", "--orders-doubt-spacing=1s",
		"--limits-calls-per-second=1000", "--limits-calls-at-once=2000")
	return w
}

// freeAddress is one on this machine where nothing listens. It is none of those that the kernel gives away by itself: nobody gets
// it while the program is away, not even a watcher who tries to reach it there.
func freeAddress(t *testing.T) string {
	t.Helper()
	var l net.Listener
	until(t, "there is a free port", func() bool {
		var err error
		l, err = new(net.ListenConfig).Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		return err == nil
	})
	defer l.Close()
	return l.Addr().String()
}

// start runs the program until it is ready.
func (w *production) start(t *testing.T) *process {
	t.Helper()
	p := startProgram(t, w.carrier, w.args...)
	p.become(t, w.caller(t, p, "boss"))
	until(t, "it is ready", func() bool { return p.ready(t) == http.StatusOK })
	return p
}

// caller is a client of the program for a caller.
func (w *production) caller(t *testing.T, p *process, name string) *client {
	t.Helper()
	return p.as(t, w.authority, w.keys[name])
}

// crowd are watchers by every way, each with connections of its own.
func (w *production) crowd(t *testing.T, p *process, n int) []*watcher {
	t.Helper()
	var all []*watcher
	for i := range n {
		all = append(all, w.caller(t, p, []string{"wallboard", "crm"}[i%2]).watcher(t, waysToWatch()[i%3]))
	}
	return all
}

// serials are the certificates that a new connection to each face is shown.
func (w *production) serials(t *testing.T, p *process) [2]int64 {
	t.Helper()
	var all [2]int64
	for i, address := range []string{p.GRPCAddress, p.HTTPAddress} {
		conn, err := tls.Dial("tcp", address, &tls.Config{
			RootCAs: w.pool, ServerName: "localhost", NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12,
		})
		if err != nil {
			t.Fatal(err)
		}
		all[i] = conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
		_ = conn.Close()
	}
	return all
}

// rotate has the certificate replaced, then broken, then replaced again. New connections see each new one, and a broken file
// leaves the one before it in force.
func (w *production) rotate(t *testing.T, p *process) {
	t.Helper()
	if got := w.serials(t, p); got != [2]int64{2, 2} {
		t.Errorf("at the start the certificates %v are shown", got)
	}
	began := time.Now()
	cert, _ := w.serverFiles(t, 77)
	until(t, "the new certificate is shown", func() bool { return w.serials(t, p) == [2]int64{77, 77} })
	t.Logf("a new certificate was shown after %v", time.Since(began))
	until(t, "the metric knows that the files are whole", func() bool { return p.metric(t, "portin_tls_files_broken") == 0 })
	if err := os.WriteFile(cert, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "the metric knows of the broken file", func() bool { return p.metric(t, "portin_tls_files_broken") == 1 })
	if got := w.serials(t, p); got != [2]int64{77, 77} {
		t.Errorf("with a broken file the certificates %v are shown", got)
	}
	w.serverFiles(t, 78)
	until(t, "the next certificate is shown", func() bool { return w.serials(t, p) == [2]int64{78, 78} })
	until(t, "the metric knows that the file was mended", func() bool { return p.metric(t, "portin_tls_files_broken") == 0 })
}

// fresh is a new request, however many there are. Its order is slow, also when the load has used up what was to come.
func (c *campaign) fresh(t *testing.T) *request {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.add(t, "slow")
}

// slow has every order meet a carrier that is only slow from now on, and returns once some are there and wait, beside the load.
func (c *campaign) slow(t *testing.T, n int, clients ...*client) chan reply {
	t.Helper()
	c.mu.Lock()
	c.meets = []string{"slow"}
	c.mu.Unlock()
	for slices.ContainsFunc(c.carrier.Waiting(), func(outcome string) bool { return outcome != "slow" }) {
		r := c.fresh(t)
		c.heard(r, clients[0].portIn(t.Context(), overGRPC, r.order, r.key))
	}
	answered, all := make(chan reply, n), []*request{}
	for i := range n {
		r := c.fresh(t)
		all = append(all, r)
		go func() {
			answer := clients[i%len(clients)].portIn(context.WithoutCancel(t.Context()), faces()[i%2], r.order, r.key)
			r.hear(answer)
			answered <- answer
		}()
	}
	until(t, "the orders are at the carrier", func() bool {
		return !slices.ContainsFunc(all, func(r *request) bool { return c.carrier.OrdersFor(r.number) == 0 })
	})
	return answered
}

// The program, from its start to its next one: 100 watchers, callers over both faces, a carrier that misbehaves, certificates that
// change, and a stop in the middle of it. Nothing is cut, nothing is sent twice, and nobody misses anything.
func TestFault24_TheProgramInProduction(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		w := newProduction(t, e)
		p := w.start(t)
		if got := w.caller(t, p, "crm").portIn(t.Context(), overGRPC, w.carrier.order(t, ""), newKey()); got.code != codes.PermissionDenied {
			t.Errorf("an order of who may only read is answered %+v", got)
		}
		watchers := w.crowd(t, p, 100)
		c := &campaign{carrier: w.carrier, most: 150, pace: 50 * time.Millisecond}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		clients := []*client{w.caller(t, p, "shop"), w.caller(t, p, "billing"), w.caller(t, p, "robot")}
		callers := c.load(ctx, t, clients...)

		w.rotate(t, p)
		until(t, "there are orders of every kind", func() bool { return w.carrier.Counts().Orders > len(mixture) })
		if lost := c.unanswered(); len(lost) > 0 {
			t.Errorf("with certificates that change %d calls were cut: %v", len(lost), lost[0])
		}
		for _, watcher := range watchers {
			if ends := watcher.ended(); len(ends) > 0 {
				t.Errorf("with certificates that change a watch over %s was cut: %q", watcher.over, ends)
			}
		}

		answered := c.slow(t, 4, clients...)
		began := time.Now()
		p.signal(t, syscall.SIGTERM)
		p.gone(t)
		took := time.Since(began)
		stop()
		callers.Wait()
		if p.code != 0 || took > 30*time.Second {
			t.Errorf("the program ended with %d after %v; its log:\n%s", p.code, took, p.log)
		}
		for range cap(answered) {
			if r := <-answered; r.lost != nil || r.order.GetState() == sending { // what it came to, check compares with the carrier
				t.Errorf("a caller who waited was answered %+v", r)
			}
		}
		posts := w.carrier.Counts().Orders

		p = w.start(t)
		c.check(t, p, true)
		if n := w.carrier.Counts().Orders; n != posts {
			t.Errorf("the program posted %d orders by itself", n-posts)
		}
		states, found := c.end(t, p)
		want := p.allEvents(t)
		if len(want) < 2*len(c.all()) {
			t.Errorf("there are only %d events of %d requests", len(want), len(c.all()))
		}
		for _, watcher := range watchers {
			watcher.wantAll(t, want)
			if ends := watcher.ended(); len(ends) == 0 || ends[0] != "SHUTTING_DOWN" {
				t.Errorf("a watch over %s ended with %q", watcher.over, ends)
			}
		}
		t.Logf("%d calls, %d requests, %d POSTs, %d tickets, %d events, the stop took %v; %d found at the end; %v",
			c.calls, len(c.all()), w.carrier.Counts().Orders, w.carrier.Counts().Tickets, len(want), took, found, states)
	})
}
