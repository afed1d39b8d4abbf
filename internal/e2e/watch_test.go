package e2e_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/sandbox"
)

// Two replicas with watchers on both. One is killed, and its watchers go on at the other one; whatever happens at either
// reaches all of them, once.
func TestFault30_WatchersOfAKilledReplicaGoOnAtAnother(t *testing.T) {
	t.Parallel()
	carrier := newStandin(t, sandbox.Config{})
	how := apart(carrier, postgres.ledger(t))
	how.PostTimeout = 20 * time.Second
	doomed, other := how.start(t), how.start(t)
	h := newReceiver(t)
	h.register(t, other.client, overGRPC)
	var all, moving []*watcher
	for range 5 {
		for _, way := range waysToWatch() {
			moving = append(moving, doomed.watcher(t, way))
			all = append(all, moving[len(moving)-1], other.watcher(t, way))
		}
	}
	const each = 5
	placed := make(chan reply, 2*each)
	for range 2 * each { // goes on while the other one is killed
		o := carrier.order(t, "")
		go func() { placed <- other.portIn(t.Context(), overGRPC, o, newKey()) }()
	}
	for range each {
		doomed.must(t, overJSON, carrier.order(t, ""), newKey(), accepted)
	}
	for _, w := range moving {
		w.turn(other.client)
	}
	doomed.kill()
	for range 2 * each {
		if r := <-placed; r.order.GetState() != accepted {
			t.Errorf("an order at the other replica is answered %+v", r)
		}
	}
	want := other.allEvents(t)
	if len(want) < 2*3*each {
		t.Fatalf("there are only %d events", len(want))
	}
	for _, w := range all {
		w.wantAll(t, want)
	}
	h.wantAll(t, want)
}

// A stop with orders in flight and 100 watchers: each is told why, with a token by which it goes on at the next process
// without missing an event or hearing one twice.
func TestFault24_AStopEndsWatchesWithTheirToken(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		carrier := newStandin(t, sandbox.Config{Delay: time.Second})
		how := apart(carrier, e.ledger(t))
		how.PostTimeout = 10 * time.Second
		p := how.start(t)
		const crowd = 100
		var all []*watcher
		for i := range crowd {
			all = append(all, p.watcher(t, waysToWatch()[i%3]))
		}
		p.must(t, overGRPC, carrier.order(t, ""), newKey(), accepted)
		answered := make(chan reply)
		for i := range 4 {
			o := carrier.order(t, "slow")
			go func() { answered <- p.portIn(t.Context(), faces()[i%2], o, newKey()) }()
		}
		carrier.awaitOrders(t, 5)
		began := time.Now()
		p.signal(t, syscall.SIGTERM)
		for range 4 {
			if r := <-answered; r.order.GetState() != accepted {
				t.Errorf("a caller was answered %+v", r)
			}
		}
		p.gone(t)
		if took := time.Since(began); p.code != 0 || took > 30*time.Second {
			t.Errorf("the service ended with %d after %v; its log:\n%s", p.code, took, p.log)
		}
		next := how.start(t)
		for _, w := range all {
			w.turn(next.client)
		}
		next.must(t, overJSON, carrier.order(t, ""), newKey(), accepted)
		want := next.allEvents(t)
		for _, w := range all {
			w.wantAll(t, want)
			if ends := w.ended(); len(ends) == 0 || ends[0] != "SHUTTING_DOWN" {
				t.Errorf("a watch over %s ended with %q", w.over, ends)
			}
		}
	})
}

// A token is of one ledger and one filter; with another one a caller is told to begin anew, over every face alike.
func TestATokenOfAnotherWatchIsOutOfRange(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		s, stranger := start(t, e), start(t, e)
		for _, way := range waysToWatch() {
			token := func(at *client) string {
				w := at.watcher(t, way)
				w.mu.Lock()
				defer w.mu.Unlock()
				return w.token
			}
			own, foreign := token(s.client), token(stranger.client)
			open := []portinv1.Category{portinv1.Category_CATEGORY_OPEN}
			for name, req := range map[string]*portinv1.WatchPortInOrdersRequest{
				"of another ledger": {ResumeToken: foreign},
				"of another filter": {ResumeToken: own, Categories: open},
				"that is none":      {ResumeToken: strings.ToLower(own)},
			} {
				err := s.watch(t.Context(), way, req, func(a *portinv1.WatchPortInOrdersResponse) {
					t.Errorf("over %s a token %s is answered %v", way, name, a)
				})
				if r := failed(status.Convert(err)); r.code != codes.OutOfRange || r.reason != "WATCH_TOKEN_EXPIRED" {
					t.Errorf("over %s a token %s ends with %+v", way, name, r)
				}
			}
		}
	})
}
