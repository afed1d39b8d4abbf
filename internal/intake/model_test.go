package intake_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
)

// wishes are what the callers of the keys want ported; the second is what a caller asks for that uses a key again.
var wishes = [...][2][]int64{
	{{4165550100, 4165550101}, {4165550105}},
	{{4165550100, 4165550101}, {4165550106, 4165550107}},
	{{4165550101, 4165550102}, {4165550101}},
	{{4165550103, 4165550104}, {4165550104, 4165550103}},
	{{4165550102, 4165550100}, {4165550102, 4165550100, 4165550103}},
}

func keyOf(i int) string { return fmt.Sprintf("0193e3a0-0000-4000-8000-%012d", i+1) }

func (w *world) troublef(format string, args ...any) {
	w.troubles = append(w.troubles, fmt.Sprintf(format, args...))
}

// begin starts the service.
func (w *world) begin() {
	w.mortal = &mortal{Store: reopened(w.t, w.path)}
	c := &stubCarrier{submit: w.submit, byNumber: w.byNumber, byTicket: w.byTicket}
	journal := w.mortal
	w.intake = born(journal, c, func(p intake.Point) {
		w.mu.Lock()
		dies := p == w.dying
		w.mu.Unlock()
		if dies {
			journal.die()
			runtime.Goexit()
		}
	})
	w.intake.Config.Doubt.Every = 15 * time.Minute
	if err := w.intake.Recover(w.t.Context()); err != nil {
		w.troublef("the start: %v", err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.intake.Run(ctx) })
	w.stop = func() {
		cancel()
		running.Wait()
	}
}

// die ends the service where it stands. What it was posting may still arrive.
func (w *world) die() {
	w.mortal.die()
	w.stop()
	w.mu.Lock()
	for _, d := range w.flying {
		w.limbo = append(w.limbo, d)
		d.landed <- carrier.Outcome{}
	}
	clear(w.flying)
	w.dying = ""
	w.mu.Unlock()
	synctest.Wait()
	if err := w.mortal.Close(); err != nil {
		w.troublef("the end: %v", err)
	}
}

// places has callers send the same order at once, and checks what they are told.
func (w *world) places(i, wish, callers int, patience time.Duration) {
	var numbers []string
	for _, n := range wishes[i][wish] {
		numbers = append(numbers, strconv.FormatInt(n, 10))
	}
	w.calls(keyOf(i), wishes[i][wish], callers, patience, func(ctx context.Context, in door) (*portinv1.PortInOrder, error) {
		resp, err := in.PortIn(ctx, request(w.t, keyOf(i), numbers...))
		return resp.GetOrder(), err
	})
}

// calls has callers make the same call at once, for an order of these numbers, and checks what they are told.
func (w *world) calls(
	key string, wish []int64, callers int, patience time.Duration, call func(context.Context, door) (*portinv1.PortInOrder, error),
) {
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			ctx, leave := context.WithCancel(w.t.Context())
			defer leave()
			if patience > 5*time.Second {
				ctx, leave = context.WithTimeout(ctx, patience)
				defer leave()
			} else {
				time.AfterFunc(patience, leave)
			}
			w.mu.Lock()
			w.asked[key]++
			w.mu.Unlock()
			journal := w.mortal
			o, err := call(ctx, w.intake)
			if journal.err() != nil {
				return // the dead tell nothing
			}
			w.told(key, wish, o, err)
		})
	}
	all.Wait()
	synctest.Wait()
}

// told checks an answer against what is true.
func (w *world) told(key string, wish []int64, o *portinv1.PortInOrder, err error) {
	r, missing := w.mortal.FindKey(w.t.Context(), tenant, key)
	w.mu.Lock()
	defer w.mu.Unlock()
	id := o.GetOrderId()
	reason := reasonOf(err)
	switch {
	case err == nil:
		if !slices.Equal(wish, tenDigits(r)) || o.GetState() == stateNotSent || o.GetState() == stateRefused {
			w.troublef("%s asks for %v and is told %v of %v", key, wish, o.GetState(), r.Numbers)
		}
		w.compare(key, o.GetState(), o.GetTicketId())
	case slices.Contains([]fault.Reason{fault.ReasonCarrierUnreachable, fault.ReasonNotPlaced, fault.ReasonCarrierRefused}, reason):
		id = fault.From(err).Metadata["order_id"]
		w.compare(key, stateNotSent, "")
	case reason == fault.ReasonRequestIDReused:
		id = fault.From(err).Metadata["order_id"]
		if slices.Equal(wish, tenDigits(r)) {
			w.troublef("%s asks for %v again and is told %v", key, wish, err)
		}
	case reason == fault.ReasonNumberInOpenOrder:
		if holder := fault.From(err).Metadata["order_id"]; holder == r.OrderID && missing == nil {
			w.troublef("%s is told that its own order is in its way", key)
		}
	case reason == fault.ReasonNotCorrectable && w.corrects[key] != "":
	case !slices.Contains([]fault.Reason{fault.ReasonDeadlineExceeded, fault.ReasonDeadlineTooShort, fault.ReasonCancelled}, reason):
		w.troublef("%s is told %v", key, err)
	}
	if id == "" {
		return
	}
	if was := w.ids[key]; missing != nil || id != r.OrderID || was != "" && was != id {
		w.troublef("%s is told of order %s, was told of %s, and the ledger has %s, %v", key, id, was, r.OrderID, missing)
	}
	w.ids[key] = id
}

// compare checks a state and a ticket against what the carrier truly has.
func (w *world) compare(key string, s portinv1.OrderState, ticket string) {
	truly := w.of(key, false)
	switch {
	case s == stateAccepted:
		if len(truly) == 0 { // the process died before it could read the refusal
			truly = w.of(key, true)
		}
		if len(truly) != 1 || (ticket != "" && ticket != truly[0].ticket && ticket != truly[0].mask) {
			w.troublef("%s is ACCEPTED under %q, and the carrier has %v", key, ticket, truly)
		}
	case ticket != "":
		w.troublef("%s is %v under %q", key, s, ticket)
	case s == stateNotSent, s == stateRefused:
		if len(truly) > 0 || w.open(key) {
			w.troublef("%s is %v, and the carrier has %v, or may still get it", key, s, truly)
		}
	}
}

func tenDigits(r ledger.Record) (numbers []int64) {
	for _, n := range r.Numbers {
		numbers = append(numbers, tenDigit(n))
	}
	return numbers
}

func tenDigit(e164 string) int64 {
	number, _ := strconv.ParseInt(e164[2:], 10, 64)
	return number
}

// orders are all orders, as a caller sees them.
func (w *world) orders(rt *rapid.T) (all []*portinv1.PortInOrder) {
	req := &portinv1.ListPortInOrdersRequest{PageSize: 3}
	for {
		resp, err := w.intake.List(w.t.Context(), req)
		if err != nil {
			rt.Fatal(err)
		}
		all = append(all, resp.GetOrders()...)
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			return all
		}
	}
}

// holds is what is always true.
func (w *world) holds(rt *rapid.T) {
	synctest.Wait()
	all := w.orders(rt)
	w.mu.Lock()
	defer w.mu.Unlock()
	found := map[string]string{}
	for _, o := range all {
		if o.GetPlacedElsewhere() {
			continue
		}
		key := o.GetRequestId()
		found[key] = o.GetOrderId()
		w.compare(key, o.GetState(), o.GetTicketId())
		if o.GetState() == stateSending && w.flying[key] == nil {
			w.troublef("%s is SENDING, and nobody sends it", key)
		}
	}
	for key, id := range w.ids {
		if o, err := w.intake.Get(w.t.Context(), id); err != nil || o.GetRequestId() != key || found[key] != id {
			w.troublef("order %s of %s is found as %v, %v", id, key, o, err)
		}
	}
	for _, t := range w.troubles {
		rt.Error(t)
	}
}

// resolves has an operator decide about an order in doubt, who says what is true, and nothing when that is not sure yet.
func (w *world) resolves(rt *rapid.T) {
	var doubtful []*portinv1.PortInOrder
	for _, o := range w.orders(rt) {
		if o.GetState() == stateInDoubt {
			doubtful = append(doubtful, o)
		}
	}
	if len(doubtful) == 0 {
		rt.Skip("nothing is in doubt")
	}
	o := rapid.SampledFrom(doubtful).Draw(rt, "order")
	w.mu.Lock()
	truly, open := slices.Concat(w.of(o.GetRequestId(), false), w.of(o.GetRequestId(), true)), w.open(o.GetRequestId())
	w.mu.Unlock()
	req := wasNotPlaced(o.GetOrderId())
	switch {
	case len(truly) > 0:
		req = wasPlaced(o.GetOrderId(), truly[0].ticket, rapid.Bool().Draw(rt, "unverified"))
	case open:
		rt.Skip("nobody knows")
	}
	req.Resolution.Attempt = new(o.GetAttempt())
	got, err := w.intake.Resolve(w.t.Context(), req)
	if reasonOf(err) != fault.ReasonTicketUnverified && (err != nil || got.GetState() == stateInDoubt) {
		rt.Errorf("the operator is answered %v, %v", got, err)
	}
}

// actions are what may happen.
func (w *world) actions() map[string]func(*rapid.T) {
	place := func(rt *rapid.T) {
		i := rapid.IntRange(0, len(wishes)-1).Draw(rt, "key")
		wish := rapid.SampledFrom([]int{0, 0, 0, 0, 1}).Draw(rt, "wish")
		callers, patience := w.destined(rt)
		w.places(i, wish, callers, patience)
	}
	return map[string]func(*rapid.T){
		"":                w.holds,
		"place":           place,
		"place once more": place,
		"correct":         w.resubmits,
		"correct again":   w.resubmits,
		"reject":          w.rejects,
		"follow":          w.follows,
		"pass": func(rt *rapid.T) {
			pass(rapid.SampledFrom([]time.Duration{time.Minute, 10 * time.Minute, time.Hour, 26 * time.Hour}).Draw(rt, "time"))
		},
		"resolve":  w.resolves,
		"withdraw": w.withdraws,
		"die": func(*rapid.T) {
			w.die()
			w.begin()
		},
		"die on the way": func(rt *rapid.T) {
			way := place
			if len(w.correctable(rt)) > 0 && rapid.Bool().Draw(rt, "correcting") {
				way = w.resubmits
			}
			point := rapid.SampledFrom([]intake.Point{
				intake.PointKeyRead, intake.PointLooked, intake.PointClaimed, intake.PointPosted, intake.PointSettled,
			}).Draw(rt, "point")
			w.mu.Lock()
			w.dying = point
			w.mu.Unlock()
			way(rt)
			w.die()
			w.begin()
		},
		"land": func(rt *rapid.T) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(w.flying) == 0 {
				rt.Skip("nothing is under way")
			}
			d := w.flying[slices.Sorted(maps.Keys(w.flying))[0]]
			delete(w.flying, d.key)
			d.landed <- w.meets(d, rapid.SampledFrom([]fate{
				isAccepted, isDeferred, isRefused, isNotSent, arrivesUnanswered, getsLost,
			}).Draw(rt, "fate"))
		},
		"arrive": func(rt *rapid.T) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(w.limbo) == 0 {
				rt.Skip("nothing is under way")
			}
			if d := w.limbo[0]; rapid.Bool().Draw(rt, "arrives") {
				w.arrives(d.key, d.numbers)
			}
			w.limbo = w.limbo[1:]
		},
		"look otherwise": func(rt *rapid.T) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.view = rapid.SampledFrom([]string{"any", "any", "newest", "oldest", "down", "no ticket", "no numbers"}).Draw(rt, "view")
			w.lag = rapid.SampledFrom([]time.Duration{0, 5 * time.Minute, 40 * time.Minute}).Draw(rt, "lag")
		},
		"somebody else": func(rt *rapid.T) { // never exactly an order's numbers: nobody could tell
			first := rapid.Int64Range(4165550100, 4165550107).Draw(rt, "number")
			w.mu.Lock()
			defer w.mu.Unlock()
			w.arrives("", []int64{first, 4165550150 + int64(len(w.portings))})
		},
		"close": func(rt *rapid.T) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(w.portings) == 0 {
				rt.Skip("there is nothing")
			}
			p := rapid.SampledFrom(w.portings).Draw(rt, "porting")
			p.closed = p.closed || !p.visible.After(time.Now())
		},
	}
}

// TestWhatCallersAreToldIsTrue lets chance rule over callers, the carrier, an operator and the process, and compares what
// callers may see with what the carrier truly has. It says more with -rapid.checks=2000.
func TestWhatCallersAreToldIsTrue(t *testing.T) {
	t.Parallel()
	const few = 6
	checks := flag.Lookup("rapid.checks")
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		if runs > few && checks.Value.String() == checks.DefValue {
			return
		}
		var thrown any
		synctest.Test(t, func(t *testing.T) {
			w := &world{
				t: t, path: filepath.Join(t.TempDir(), "ledger.db"), view: "any",
				flying: map[string]*departure{}, posts: map[string]int{}, asked: map[string]int{}, ids: map[string]string{},
				corrects: map[string]string{},
			}
			w.begin()
			defer w.die()
			defer func() { thrown = recover() }()
			w.unlike = rapid.Bool().Draw(rt, "masks are unlike tickets")
			if rapid.Bool().Draw(rt, "somebody has ported the numbers before") {
				w.arrives("", wishes[0][0])
			}
			rt.Repeat(w.actions())
		})
		if rt.Failed() {
			rt.FailNow()
		}
		if thrown != nil {
			panic(thrown) // drawn data that leads nowhere
		}
	})
}
