package e2e_test

import (
	"net/http"
	"os/exec"
	"syscall"
	"testing"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/portin/portin/internal/sandbox"
)

// A stop with less time than the carrier takes answers who waits and names the order; the next start finds out about it.
func TestFault24_AStopAnswersWhoWaitsAndNamesTheOrder(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		carrier := newStandin(t, sandbox.Config{})
		o, key := carrier.order(t, "timeout-after-body"), newKey()
		how := apart(carrier, e.ledger(t))
		how.PostTimeout, how.LeaseMargin, how.ShutdownTimeout = 4*time.Second, 4*time.Second, time.Second
		p := how.start(t)
		answered := make(chan reply)
		go func() { answered <- p.portIn(t.Context(), overJSON, o, key) }()
		carrier.awaitOrders(t, 1)
		p.signal(t, syscall.SIGTERM)
		if r := <-answered; r.http != 202 || r.order.GetState() != sending {
			t.Errorf("who waits is answered %+v", r)
		}
		p.gone(t)
		if p.code != 1 || !p.log.has("1 orders are still being sent") {
			t.Errorf("the service ended with %d; its log:\n%s", p.code, p.log)
		}
		if !p.log.has("an order is still being sent") || !p.log.has("order_id=") {
			t.Errorf("the log does not name the order:\n%s", p.log)
		}

		p = how.start(t)
		until(t, "the order is found", func() bool {
			got := p.portIn(t.Context(), overGRPC, o, key)
			return got.order.GetState() == accepted && got.order.GetTicketId() == carrier.Tickets()[0].ID
		})
		if n := len(carrier.posts()); n != 1 {
			t.Errorf("the carrier got %d POSTs", n)
		}
	})
}

// A stop with enough time lets orders in flight settle and their callers know.
func TestFault24_AStopLetsOrdersInFlightSettle(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		carrier := newStandin(t, sandbox.Config{Delay: time.Second})
		how := apart(carrier, e.ledger(t))
		how.PostTimeout = 10 * time.Second
		p := how.start(t)
		const crowd = 5
		answered := make(chan reply)
		for range crowd {
			o := carrier.order(t, "slow")
			go func() { answered <- p.portIn(t.Context(), f, o, newKey()) }()
		}
		carrier.awaitOrders(t, crowd)
		p.signal(t, syscall.SIGTERM)
		for range crowd {
			if r := <-answered; r.order.GetState() != accepted {
				t.Errorf("a caller was answered %+v", r)
			}
		}
		p.gone(t)
		if p.code != 0 {
			t.Errorf("the service ended with %d; its log:\n%s", p.code, p.log)
		}
	})
}

// A stop says first that the service is not ready, and goes on for as long as a balancer may take to notice.
func TestFault24_AStopLetsABalancerNotice(t *testing.T) {
	t.Parallel()
	carrier := newStandin(t, sandbox.Config{})
	how := apart(carrier, sqlite.ledger(t))
	how.ShutdownDelay = 15 * time.Second // in which all that follows is asked, on a busy machine too
	p := how.start(t)
	until(t, "it is ready", func() bool { return p.ready(t) == http.StatusOK })
	w := p.watcher(t, overGRPC)
	p.signal(t, syscall.SIGTERM)
	until(t, "it says that it is not", func() bool { return p.ready(t) == http.StatusServiceUnavailable })
	if got := p.health(t); got != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("the health service says %v", got)
	}
	p.must(t, overJSON, carrier.order(t, ""), newKey(), accepted)
	w.wantAll(t, p.allEvents(t))
	p.gone(t)
	if p.code != 0 {
		t.Errorf("the service ended with %d; its log:\n%s", p.code, p.log)
	}
}

// probed is how the program's own probe of a service ends.
func (p *process) probed(t *testing.T, what string) int {
	t.Helper()
	probe := exec.CommandContext(t.Context(), program().path(t), "probe", what, "--admin-address="+p.AdminAddress)
	_ = probe.Run()
	return probe.ProcessState.ExitCode()
}

// A second signal ends the process at once, whatever it waits for. What the program's own probes say agrees with it.
func TestFault24_ASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	p := startProgram(t, newStandin(t, sandbox.Config{}), "--ledger-file="+sqlite.ledger(t).File, "--shutdown-delay=5m")
	until(t, "it is ready", func() bool { return p.ready(t) == http.StatusOK })
	if live, ready := p.probed(t, "live"), p.probed(t, "ready"); live != 0 || ready != 0 {
		t.Errorf("the probes of a service that is ready: %d, %d", live, ready)
	}
	p.signal(t, syscall.SIGTERM)
	until(t, "it stops", func() bool { return p.ready(t) == http.StatusServiceUnavailable })
	if live, ready := p.probed(t, "live"), p.probed(t, "ready"); live != 0 || ready != 1 {
		t.Errorf("the probes of a service that stops: %d, %d", live, ready)
	}
	p.signal(t, syscall.SIGTERM)
	p.gone(t)
	if p.code != -1 {
		t.Errorf("the service ended by itself, with %d; its log:\n%s", p.code, p.log)
	}
}
