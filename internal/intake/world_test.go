package intake_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// porting is a port-in that the carrier truly has.
type porting struct {
	// key is the request_id of the order that it came from; empty for somebody else's. The order of a ghost was refused.
	key     string
	ghost   bool
	numbers []int64
	// ticket is how the carrier calls it in a status, mask in the answer to the POST.
	ticket, mask string
	visible      time.Time
	closed       bool
	// withdrawn is one that is closed, and that the carrier goes on speaking of as if it were not.
	withdrawn bool
	// rejected is the losing carrier's word; the porting team may take it back.
	rejected bool
}

// haunts makes a port-in the ghost of an order.
func (p *porting) haunts(key string) { p.key, p.ghost = key, true }

func (p *porting) has(number int64) bool { return slices.Contains(p.numbers, number) }

// departure is a POST whose end is open. The process that sent it may be dead by now.
type departure struct {
	key     string
	numbers []int64
	landed  chan carrier.Outcome
}

// fate is what becomes of a POST.
type fate string

const (
	isAccepted, isDeferred             fate = "accepted", "deferred"
	isRefused, isRefusedButKept        fate = "refused", "refused, and a ticket of it shows up"
	isNotSent                          fate = "not sent"
	arrivesUnanswered, getsLost, hangs fate = "its answer gets lost", "it gets lost", "its end is open"
)

// world is a carrier as it truly is, and a service on one ledger that may die and begin again. Only the test's goroutine
// draws; what the service's own goroutines find wrong is in troubles.
type world struct {
	t      *testing.T
	path   string
	mortal *mortal
	intake door
	stop   func()

	mu       sync.Mutex
	dying    intake.Point
	portings []*porting
	flying   map[string]*departure
	limbo    []*departure
	fate     fate
	// view is how the carrier answers about a number; lag how long a ticket takes to become visible.
	view   string
	lag    time.Duration
	unlike bool
	turn   int
	posts  map[string]int
	asked  map[string]int
	ids    map[string]string
	// corrects are the keys of orders that correct others, each with the key of the other.
	corrects map[string]string

	troubles []string
}

// submit is a POST on its way: its claim has to be in the ledger, and no order that the carrier has open has its numbers.
func (w *world) submit(ctx context.Context, call carrier.Call) carrier.Outcome {
	numbers := numbersIn(w.t, call)
	page, _, err := w.mortal.List(ctx, ledger.Query{
		Tenant: tenant, States: []order.State{order.Sending}, Number: fmt.Sprintf("+1%d", numbers[0]), Limit: 2, MaxBytes: 1 << 20,
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil || len(page) != 1 {
		w.troublef("a POST of an order of which %d are being sent: %v", len(page), err)
		return carrier.Outcome{}
	}
	key := page[0].RequestID
	attempt := key + " " + strconv.Itoa(page[0].Attempt)
	w.posts[key]++
	w.posts[attempt]++
	if w.posts[attempt] > 1 || w.posts[key] > w.asked[key] {
		w.troublef("attempt %s is posted %d times; callers asked %d times", attempt, w.posts[attempt], w.asked[key])
	}
	for _, p := range w.portings {
		if p.key != "" && p.key != key && !p.ghost && !p.closed && slices.ContainsFunc(numbers, p.has) && (!p.rejected || !w.descends(key, p.key)) {
			w.troublef("order %s gets numbers of the open order %s", key, p.key)
		}
	}
	d := &departure{key: key, numbers: numbers, landed: make(chan carrier.Outcome, 1)}
	if w.fate != hangs {
		return w.meets(d, w.fate)
	}
	w.flying[key] = d
	w.mu.Unlock()
	o := <-d.landed
	w.mu.Lock()
	return o
}

// meets is the end of a POST.
func (w *world) meets(d *departure, f fate) carrier.Outcome {
	o := map[fate]carrier.Outcome{
		isAccepted: outcomes["accepted"], isDeferred: outcomes["deferred"], isRefused: outcomes["refused"], isRefusedButKept: outcomes["refused"],
		isNotSent: outcomes["not sent"], arrivesUnanswered: outcomes["in doubt"], getsLost: outcomes["in doubt"],
	}[f]
	switch f {
	case isAccepted, isDeferred, arrivesUnanswered:
		p := w.arrives(d.key, d.numbers)
		if f == isAccepted {
			o.Ticket = p.mask
		}
	case isRefusedButKept:
		w.arrives("", d.numbers).haunts(d.key)
	case isRefused, isNotSent, getsLost, hangs:
	}
	return o
}

// arrives is the carrier taking an order.
func (w *world) arrives(key string, numbers []int64) *porting {
	if key != "" && len(w.of(key, false)) > 0 {
		w.troublef("order %s reaches the carrier twice", key)
	}
	ticket := fmt.Sprintf("T-%d", len(w.portings))
	p := &porting{key: key, numbers: numbers, ticket: ticket, mask: ticket, visible: time.Now().Add(w.lag)}
	if w.unlike {
		p.mask = "MASK-" + ticket
	}
	w.portings = append(w.portings, p)
	return p
}

// of are the port-ins that came from an order, or its ghosts.
func (w *world) of(key string, ghosts bool) (all []*porting) {
	for _, p := range w.portings {
		if p.key == key && p.ghost == ghosts {
			all = append(all, p)
		}
	}
	return all
}

// descends reports whether an order corrects another one, itself or through others.
func (w *world) descends(key, from string) bool {
	for ; key != ""; key = w.corrects[key] {
		if key == from {
			return true
		}
	}
	return false
}

// open reports whether something of an order may still arrive.
func (w *world) open(key string) bool {
	return w.flying[key] != nil || slices.ContainsFunc(w.limbo, func(d *departure) bool { return d.key == key })
}

// says is what the carrier says about a port-in.
func (w *world) says(p *porting) carrier.Status {
	s := carrier.Status{Ticket: p.ticket, Word: "PENDING", Numbers: p.numbers}
	switch {
	case p.closed && !p.withdrawn:
		s.Word = "COMPLETED"
	case p.rejected:
		s.Word, s.Disputing = "REJECTED", new(false)
	}
	switch w.view {
	case "no ticket":
		s.Ticket = ""
	case "no numbers":
		s.Numbers = nil
	}
	return s
}

func (w *world) byNumber(_ context.Context, number int64) (carrier.Status, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var seen []*porting
	for _, p := range w.portings {
		if p.has(number) && !p.visible.After(time.Now()) {
			seen = append(seen, p)
		}
	}
	w.turn++
	switch {
	case w.view == "down":
		return carrier.Status{}, fault.New(fault.ReasonCarrierUnreachable, "down")
	case len(seen) == 0:
		return carrier.Status{}, errNone
	case w.view == "oldest":
		return w.says(seen[0]), nil
	case w.view == "newest":
		return w.says(seen[len(seen)-1]), nil
	}
	return w.says(seen[w.turn*7919%len(seen)]), nil
}

func (w *world) byTicket(_ context.Context, ticket string) (carrier.Status, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.view == "down" {
		return carrier.Status{}, fault.New(fault.ReasonCarrierUnreachable, "down")
	}
	for _, p := range w.portings {
		if p.ticket == ticket && !p.visible.After(time.Now()) {
			return w.says(p), nil
		}
	}
	return carrier.Status{}, errNone
}

// moveUp is a status of other numbers.
func moveUp(s carrier.Status, by int64) carrier.Status {
	s.Numbers = slices.Clone(s.Numbers)
	for i := range s.Numbers {
		s.Numbers[i] += by
	}
	return s
}
