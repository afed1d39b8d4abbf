package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/sandbox"
)

// request is one that callers send, again and again, and the last that they heard of it.
type request struct {
	key    string
	order  *portinv1.PortInOrder
	number int64

	mu    sync.Mutex
	heard reply
}

// hear keeps an answer. One that did not come says nothing.
func (r *request) hear(answer reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if answer.orderID != "" {
		r.heard = answer
	}
}

func (r *request) last() reply {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heard
}

// campaign loads a service that is killed again and again, and knows all that callers were told.
type campaign struct {
	carrier *standin
	// most is how many requests there are at the most, and pace how long a caller rests between calls; zero is no bound and no rest.
	most int
	pace time.Duration

	mu       sync.Mutex
	requests []*request
	calls    int
	// meets is what orders meet from now on; nil is the mixture.
	meets []string
	// lost are the calls that were not answered.
	lost []error
}

// mixture is what orders meet, each as often as it stands here.
var mixture = []string{
	"accepted", "accepted", "accepted", "accepted", "accepted", "accepted", "slow", "slow", "slow", "deferred",
	"timeout-after-body", "timeout-without-ticket", "cut-after-ticket", "cut-after-body", "reset-after-ticket", "reset-after-body",
	"cut-mid-answer", "cut-before-body", "rejected", "exception-400", "exception-500", "empty-503+ticket", "truncated", "reply-missing",
	"throttled", "throttled", "html-429",
}

// another is a new request, or one that was sent before.
func (c *campaign) another(t *testing.T, fresh bool) *request {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if full := c.most > 0 && len(c.requests) >= c.most; full || !fresh && len(c.requests) > 0 {
		return c.requests[rand.IntN(len(c.requests))]
	}
	return c.add(t, "")
}

// add is a new request, with what becomes of its order unless something else is the next order's turn.
func (c *campaign) add(t *testing.T, outcome string) *request {
	t.Helper()
	o := c.carrier.order(t, outcome)
	r := &request{key: newKey(), order: o, number: digits(t, o)}
	c.requests = append(c.requests, r)
	return r
}

// unlucky is what one of the next orders meets.
func (c *campaign) unlucky() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := mixture
	if c.meets != nil {
		from = c.meets
	}
	return from[rand.IntN(len(from))]
}

// all are the requests so far.
func (c *campaign) all() []*request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.requests)
}

// heard keeps an answer, and reports whether there was one.
func (c *campaign) heard(r *request, answer reply) bool {
	r.hear(answer)
	if answer.lost == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = append(c.lost, answer.lost)
	return false
}

// unanswered are the calls so far that were not answered.
func (c *campaign) unanswered() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lost)
}

// rest lets a caller rest between two calls.
func (c *campaign) rest(ctx context.Context) {
	if c.pace == 0 {
		return
	}
	over := time.NewTimer(c.pace)
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
	}
}

// load has callers send orders, by these clients in turn, until ctx ends; few of them are new, so that the numbers last.
func (c *campaign) load(ctx context.Context, t *testing.T, clients ...*client) *sync.WaitGroup {
	t.Helper()
	var callers sync.WaitGroup
	for i := range 6 {
		callers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if len(c.carrier.Waiting()) < 6 {
					_ = c.carrier.Next(c.unlucky())
				}
				r := c.another(t, n < 4 || n%4 == 0)
				answer := clients[i%len(clients)].portIn(ctx, faces()[(i+n)%2], r.order, r.key)
				if !c.heard(r, answer) && ctx.Err() == nil {
					return // the service is gone
				}
				c.rest(ctx)
			}
		})
	}
	return &callers
}

// check compares what callers were told and what reached the carrier with the ledger. Started tells that the process has
// just started, and has sent nothing yet.
func (c *campaign) check(t *testing.T, p *process, started bool) map[portinv1.OrderState]int {
	t.Helper()
	counts := c.carrier.Counts()
	tickets := map[int64][]sandbox.Ticket{}
	for _, ticket := range c.carrier.Tickets() {
		tickets[ticket.Numbers[0]] = append(tickets[ticket.Numbers[0]], ticket)
	}
	ledger, states := map[string]*portinv1.PortInOrder{}, map[portinv1.OrderState]int{}
	for _, o := range p.list(t) {
		if ledger[o.GetRequestId()] != nil {
			t.Errorf("the request %s has two orders", o.GetRequestId())
		}
		ledger[o.GetRequestId()] = o
		states[o.GetState()]++
		if started && o.GetState() == sending {
			t.Errorf("after the start order %s is still SENDING", o.GetOrderId())
		}
	}
	for _, r := range c.all() {
		o, heard := ledger[r.key], r.last()
		if problem := judge(o, heard, counts.ByNumber[r.number], tickets[r.number]); problem != "" {
			t.Errorf("request %s: %s; its caller heard %v %s, the order is %v", r.key, problem, heard.order.GetState(), heard.reason, o)
		}
	}
	return states
}

// judge says what is wrong with an order, given what its caller was told and what the carrier has; empty when nothing is.
func judge(o *portinv1.PortInOrder, heard reply, posts int, tickets []sandbox.Ticket) string {
	switch {
	case o == nil && heard.orderID != "":
		return "an order that was acknowledged is not in the ledger"
	case o == nil && posts > 0:
		return "the carrier got an order that is not in the ledger"
	case o == nil:
		return ""
	case heard.orderID != "" && heard.orderID != o.GetOrderId():
		return "the caller was told of another order: " + heard.orderID
	case posts > int(o.GetAttempt()):
		return fmt.Sprintf("the carrier got %d POSTs in %d attempts", posts, o.GetAttempt())
	case len(tickets) > 1:
		return fmt.Sprintf("the carrier took the order %d times", len(tickets))
	case (o.GetState() == notSent || o.GetState() == refused) && len(tickets) > 0:
		return "the carrier has the order"
	case o.GetState() == accepted && (len(tickets) == 0 || !names(tickets[0], o.GetTicketId())):
		return fmt.Sprintf("the order has a ticket that is not its own, the carrier has %v", tickets)
	}
	switch heard.order.GetState() {
	case accepted:
		if o.GetState() != accepted || o.GetTicketId() != heard.order.GetTicketId() {
			return "an order that was accepted is so no more"
		}
	case inDoubt:
		if o.GetState() != inDoubt && o.GetState() != accepted {
			return "an order that was in doubt was decided without evidence"
		}
	case sending, notSent, refused, portinv1.OrderState_ORDER_STATE_UNSPECIFIED:
	}
	if isRefused := heard.reason == "CARRIER_REFUSED" || heard.reason == "CARRIER_INVALID"; isRefused && o.GetState() != refused {
		return "an order that was refused is so no more"
	}
	return ""
}

// The program is killed at random times under load, and started again on the same ledger, again and again. On PostgreSQL it
// takes a whole lease until a process that is gone is known to be; there the points are few.
func TestFault11_KilledAtAnyTime(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		c := &campaign{carrier: newStandin(t, sandbox.Config{Delay: 300 * time.Millisecond})}
		args, times := []string{"--carrier-post-timeout=1s", "--carrier-get-timeout=1s", "--orders-doubt-spacing=1s", ledgerArg(e.ledger(t))}, *points
		if e == postgres {
			times = min(times, 4)
		}
		doubts := 0
		for point := range times {
			posts := c.carrier.Counts().Orders
			p := startProgram(t, c.carrier, args...)
			states := c.check(t, p, e == sqlite)
			doubts = max(doubts, states[inDoubt])
			if n := c.carrier.Counts().Orders; n != posts {
				t.Errorf("point %d: the service posted %d orders by itself", point, n-posts)
			}
			ctx, stop := context.WithCancel(t.Context())
			callers := c.load(ctx, t, p.client)
			delay := time.NewTimer(20*time.Millisecond + rand.N(600*time.Millisecond))
			<-delay.C
			p.kill()
			stop()
			callers.Wait()
			c.carrier.drain(t)
		}
		p := startProgram(t, c.carrier, args...)
		c.check(t, p, e == sqlite)
		until(t, "every lease has ended", func() bool { return len(p.list(t, sending)) == 0 })
		states, found := c.end(t, p)
		t.Logf("%d points, %d calls, %d requests, %d POSTs, %d tickets; up to %d in doubt at a start, %d found at the end; %v",
			times, c.calls, len(c.all()), c.carrier.Counts().Orders, c.carrier.Counts().Tickets, doubts, found, states)
	})
}

// end has every request sent again, to a carrier that takes everything from now on, and returns what the orders are then,
// and how many were found within a few seconds.
func (c *campaign) end(t *testing.T, p *process) (states map[portinv1.OrderState]int, found int) {
	t.Helper()
	c.most = 0
	for len(c.carrier.Waiting()) > 0 { // which uses up what was to come
		r := c.another(t, true)
		r.hear(p.portIn(t.Context(), overGRPC, r.order, r.key))
	}
	for _, r := range c.all() {
		before, answer := r.last().order.GetState(), p.portIn(t.Context(), overGRPC, r.order, r.key)
		r.hear(answer)
		again := before == accepted || before == inDoubt // so that it is not sent again
		if answer.lost != nil || answer.reason == "CARRIER_BUSY" || again && !answer.replayed {
			t.Errorf("in the end request %s, which was %v, is answered %+v", r.key, before, answer)
		}
	}
	posts := c.carrier.Counts().Orders
	before := c.check(t, p, false)
	if before[notSent]+before[sending] > 0 {
		t.Errorf("in the end orders are %v", before)
	}
	within(t, 5*time.Second, func() bool { return false })
	states = c.check(t, p, false)
	if n := c.carrier.Counts().Orders; n != posts {
		t.Errorf("the service posted %d orders by itself", n-posts)
	}
	return states, before[inDoubt] - states[inDoubt]
}
