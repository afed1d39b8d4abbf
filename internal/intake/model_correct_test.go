package intake_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
)

// destined draws what becomes of the next POST, and who calls.
func (w *world) destined(rt *rapid.T) (callers int, patience time.Duration) {
	f := rapid.SampledFrom([]fate{
		isAccepted, isDeferred, isRefused, isRefusedButKept, isNotSent, isNotSent, arrivesUnanswered, arrivesUnanswered, getsLost, hangs, hangs,
	}).Draw(rt, "fate")
	callers = rapid.IntRange(1, 3).Draw(rt, "callers")
	patience = rapid.SampledFrom([]time.Duration{time.Second, 7 * time.Second, 20 * time.Second}).Draw(rt, "patience")
	w.mu.Lock()
	w.fate = f
	w.mu.Unlock()
	return callers, patience
}

// correctionKey is the request_id by which an order is corrected, in one of two ways.
func correctionKey(key string, fewer bool) string {
	way := "a"
	if fewer {
		way = "b"
	}
	// Each correction has a digit more than what it corrects; the last of them correct nothing further.
	head, tail := key[:24], strings.TrimLeft(key[24:], "0")
	tail += way
	return head + strings.Repeat("0", max(0, 12-len(tail))) + tail
}

// correctable are the orders that somebody may want to correct.
func (w *world) correctable(rt *rapid.T) []*portinv1.PortInOrder {
	return slices.DeleteFunc(w.orders(rt), func(o *portinv1.PortInOrder) bool {
		return o.GetPlacedElsewhere() || o.GetRequestId()[24] != '0'
	})
}

// resubmits has callers correct an order at once: with the same numbers, or with its first alone.
func (w *world) resubmits(rt *rapid.T) {
	all := w.correctable(rt)
	if len(all) == 0 {
		rt.Skip("there is nothing")
	}
	old := rapid.SampledFrom(all).Draw(rt, "order")
	fewer := rapid.SampledFrom([]bool{false, false, true}).Draw(rt, "fewer")
	key, numbers := correctionKey(old.GetRequestId(), fewer), old.GetNumbers()
	if fewer {
		numbers = numbers[:1]
	}
	var wish []int64
	for _, n := range numbers {
		wish = append(wish, tenDigit(n))
	}
	callers, patience := w.destined(rt)
	w.mu.Lock()
	w.corrects[key] = old.GetRequestId()
	w.mu.Unlock()
	w.calls(key, wish, callers, patience, func(ctx context.Context, in door) (*portinv1.PortInOrder, error) {
		as := request(w.t, key, numbers...).GetOrder()
		req := &portinv1.ResubmitPortInRequest{OrderId: old.GetOrderId(), RequestId: key, Order: &portinv1.PortInOrder{
			Target: as.GetTarget(),
			Form:   &portinv1.PortForm{LettersOfAuthorization: as.GetForm().GetLettersOfAuthorization(), LastInvoices: as.GetForm().GetLastInvoices()},
		}}
		resp, err := in.Resubmit(ctx, req)
		return resp.GetOrder(), err
	})
}

// rejects has the losing carrier reject a port-in, or the porting team revive it.
func (w *world) rejects(rt *rapid.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var own []*porting
	for _, p := range w.portings {
		if p.key != "" && !p.ghost && !p.closed {
			own = append(own, p)
		}
	}
	if len(own) == 0 {
		rt.Skip("there is nothing")
	}
	p := rapid.SampledFrom(own).Draw(rt, "porting")
	p.rejected = !p.rejected
}

// withdraws has an operator close an order: one that is over, whatever the carrier says, or one of which nobody but the carrier can tell.
func (w *world) withdraws(rt *rapid.T) {
	all := w.orders(rt)
	if len(all) == 0 {
		rt.Skip("there is nothing")
	}
	o := rapid.SampledFrom(all).Draw(rt, "order")
	onTheTelephone := rapid.Bool().Draw(rt, "on the telephone")
	w.mu.Lock()
	known := false
	for _, p := range w.portings {
		if o.GetState() != stateAccepted || p.key != o.GetRequestId() && (!o.GetPlacedElsewhere() || p.ticket != o.GetTicketId()) {
			continue
		}
		if onTheTelephone && !p.closed && !p.ghost {
			p.closed, p.withdrawn = true, true
		}
		known = p.closed
	}
	w.mu.Unlock()
	closed, err := w.intake.Close(w.t.Context(), closing(o.GetOrderId(), known))
	if (err == nil) != (closed.GetCategory() == portinv1.Category_CATEGORY_CLOSED) || known && err != nil ||
		!slices.Contains([]fault.Reason{"", fault.ReasonClosingUnverified, fault.ReasonOrderNotAccepted}, reasonOf(err)) {
		rt.Errorf("the operator is answered %v, %v", closed, err)
	}
}

// follows has somebody follow a port-in by its ticket. What it is told is true: what the operator says of an order in doubt
// afterwards has to be taken.
func (w *world) follows(rt *rapid.T) {
	w.mu.Lock()
	if len(w.portings) == 0 {
		w.mu.Unlock()
		rt.Skip("there is nothing")
	}
	ticket := rapid.SampledFrom(w.portings).Draw(rt, "porting").ticket
	w.mu.Unlock()
	o, err := w.intake.Follow(w.t.Context(), byTicket(ticket))
	expected := []fault.Reason{
		"", fault.ReasonPortInNotFound, fault.ReasonCarrierUnreachable, fault.ReasonNumberInOpenOrder, fault.ReasonTicketUnverified,
	}
	if !slices.Contains(expected, reasonOf(err)) || (err == nil && o.GetTicketId() != ticket) {
		rt.Errorf("who follows %s is told %v, %v", ticket, o, err)
	}
}
