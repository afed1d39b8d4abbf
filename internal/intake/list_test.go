package intake_test

import (
	stdcmp "cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// The contract's words that the tests compare.
const (
	stateNotSent  = portinv1.OrderState_ORDER_STATE_NOT_SENT
	stateInDoubt  = portinv1.OrderState_ORDER_STATE_IN_DOUBT
	stateAccepted = portinv1.OrderState_ORDER_STATE_ACCEPTED
	stateSending  = portinv1.OrderState_ORDER_STATE_SENDING
	stateRefused  = portinv1.OrderState_ORDER_STATE_REFUSED

	eventClaimed   = portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_CLAIMED
	eventState     = portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_STATE_CHANGED
	eventEvidence  = portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_EVIDENCE
	eventResolved  = portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_RESOLVED
	eventStatus    = portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_STATUS_CHANGED
	eventAttention = portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_ATTENTION_CHANGED
	eventDate      = portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_DATE_CHANGED

	byCaller   = portinv1.ActorKind_ACTOR_KIND_CALLER
	byService  = portinv1.ActorKind_ACTOR_KIND_SERVICE
	byCarrier  = portinv1.ActorKind_ACTOR_KIND_CARRIER
	byOperator = portinv1.ActorKind_ACTOR_KIND_OPERATOR
)

// timeline is everything that happened to an order. Sequences are checked here, and left out.
func timeline(t *testing.T, d *desk, id string) []*portinv1.PortInOrderEvent {
	t.Helper()
	resp, err := d.Events(t.Context(), &portinv1.ListPortInOrderEventsRequest{OrderId: id, PageSize: 1000})
	if err != nil || resp.GetNextPageToken() != "" {
		t.Fatalf("%v, %v", resp.GetNextPageToken(), err)
	}
	var last int64
	for _, e := range resp.GetEvents() {
		if e.GetSequence() <= last {
			t.Errorf("the sequence %d comes after %d", e.GetSequence(), last)
		}
		last, e.Sequence = e.GetSequence(), 0
	}
	return resp.GetEvents()
}

// happened compares an order's timeline with what it should be. An event without an order is one of the order, and an
// accepted order of which the carrier has said nothing, or that it is pending, is open.
func happened(t *testing.T, d *desk, id string, want []*portinv1.PortInOrderEvent) {
	t.Helper()
	for _, e := range want {
		e.OrderId = id
		if w := e.GetCarrierStatusWord(); e.GetState() == stateAccepted && (w == "" || w == "PENDING") {
			e.Category = portinv1.Category_CATEGORY_OPEN
		}
	}
	if diff := cmp.Diff(want, timeline(t, d, id), protocmp.Transform()); diff != "" {
		t.Errorf("the timeline (-want +got):\n%s", diff)
	}
}

// at is a time as the ledger keeps it.
func at(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t.Truncate(time.Microsecond)) }

// attentions are the reasons for a person to look at an order, without their prefix.
func attentions(o *portinv1.PortInOrder) []string {
	var codes []string
	for _, a := range o.GetAttentions() {
		codes = append(codes, a.GetCode().String()[len("ATTENTION_CODE_"):])
	}
	return codes
}

// stands is an order as it now is.
func stands(t *testing.T, d *desk, id string) *portinv1.PortInOrder {
	t.Helper()
	o, err := d.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// shelf is a desk with orders in all walks of life. Their order IDs rise and fall with their names in no way.
func shelf(t *testing.T) (d *desk, all []*portinv1.PortInOrder) {
	t.Helper()
	d = newDesk(t)
	begin := time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)
	for i, to := range []order.State{
		order.Sending, order.NotSent, order.Refused, order.InDoubt, order.Accepted, order.Accepted, order.Accepted, order.Accepted, order.InDoubt,
		order.Accepted, order.NotSent, order.Accepted,
	} {
		content, err := proto.Marshal(&portinv1.PortInOrder{Form: &portinv1.PortForm{CustomerReference: new(reference(i))}})
		if err != nil {
			t.Fatal(err)
		}
		created := begin.Add(time.Duration(i/2) * time.Hour) // two of an age
		r, err := d.ledger.Claim(t.Context(), ledger.Record{
			OrderID: fmt.Sprintf("0193e3a0-%04d-7000-8000-00000000000a", (7*i)%12), Tenant: tenant, CarrierAccount: ledger.Default,
			RequestID: fmt.Sprintf("0193e3a0-0000-4000-8000-%012x", 0xabc0+i), Target: "trunk_did", CustomerReference: reference(i), Content: content,
			Numbers: []string{fmt.Sprintf("+1416556%04d", i/4+10*i), fmt.Sprintf("+1416556%04d", 9000+i)}, State: order.Sending, Attempt: 1, Owner: "somebody",
			Created: created, Updated: created, Claimed: created,
		}, ledger.Entry{})
		if err != nil {
			t.Fatal(err)
		}
		if to == order.Sending {
			continue
		}
		if _, err := d.ledger.Advance(t.Context(), r.OrderID, ledger.Step{
			By: order.ByAnswer, Now: created.Add(time.Duration(12-i) * time.Minute), Change: func(r *ledger.Record) (ledger.Entry, error) {
				r.State = to
				if to == order.Accepted {
					r.Ticket, r.Status = fmt.Sprintf("T-%d", i), []order.Status{"", order.StatusCompleted, order.StatusConfirmed, order.StatusHold}[i%4]
				}
				if i%3 == 0 {
					r.Attend(ledger.AttentionNoProgress, "nothing happens", created)
				}
				if i%4 == 0 {
					r.Attend(ledger.AttentionDateChanged, "another day", created)
				}
				return ledger.Entry{}, nil
			},
		}); err != nil {
			t.Fatal(err)
		}
	}
	all = listed(t, d, &portinv1.ListPortInOrdersRequest{}, 50)
	if len(all) != 12 || !slices.IsSortedFunc(all, func(a, b *portinv1.PortInOrder) int {
		return stdcmp.Or(b.GetCreateTime().AsTime().Compare(a.GetCreateTime().AsTime()), strings.Compare(b.GetOrderId(), a.GetOrderId()))
	}) {
		t.Fatalf("%d orders, or not the newest first: %v", len(all), all)
	}
	return d, all
}

// reference is the customer reference of an order; three share one.
func reference(i int) string { return fmt.Sprintf("ref-%d", i%4) }

// listed are all orders of a list, page by page.
func listed(t *testing.T, d *desk, req *portinv1.ListPortInOrdersRequest, size int32) (all []*portinv1.PortInOrder) {
	t.Helper()
	req = proto.CloneOf(req)
	req.PageSize = size
	for range 100 {
		resp, err := d.List(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, resp.GetOrders()...)
		if n := len(resp.GetOrders()); n > int(size) || n == 0 && resp.GetNextPageToken() != "" {
			t.Fatalf("a page of %d has %d orders, and the next is %q", size, n, resp.GetNextPageToken())
		}
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			return all
		}
	}
	t.Fatal("the list has no end")
	return nil
}

// TestAListHasWhatItsFiltersSay compares lists, in pages of every size, with all orders sifted by hand.
func TestAListHasWhatItsFiltersSay(t *testing.T) {
	t.Parallel()
	d, all := shelf(t)
	type request = portinv1.ListPortInOrdersRequest
	moment := all[5].GetCreateTime()
	updated := all[3].GetUpdateTime()
	for name, c := range map[string]struct {
		req  *request
		want func(o *portinv1.PortInOrder) bool
	}{
		"all":       {&request{}, func(*portinv1.PortInOrder) bool { return true }},
		"one state": {&request{States: []portinv1.OrderState{stateInDoubt}}, func(o *portinv1.PortInOrder) bool { return o.GetState() == stateInDoubt }},
		"two states": {&request{States: []portinv1.OrderState{stateNotSent, stateRefused}}, func(o *portinv1.PortInOrder) bool {
			return o.GetState() == stateNotSent || o.GetState() == stateRefused
		}},
		"categories": {
			&request{Categories: []portinv1.Category{portinv1.Category_CATEGORY_CLOSED, portinv1.Category_CATEGORY_OPEN}},
			func(o *portinv1.PortInOrder) bool {
				return o.GetCategory() == portinv1.Category_CATEGORY_CLOSED || o.GetCategory() == portinv1.Category_CATEGORY_OPEN
			},
		},
		"a state without categories": {
			&request{States: []portinv1.OrderState{stateInDoubt}, Categories: []portinv1.Category{portinv1.Category_CATEGORY_OPEN}},
			func(*portinv1.PortInOrder) bool { return false },
		},
		"a number":             {&request{Number: new("416-556-0021")}, func(o *portinv1.PortInOrder) bool { return slices.Contains(o.GetNumbers(), "+14165560021") }},
		"a second number":      {&request{Number: new("+1 (416) 556.9003")}, func(o *portinv1.PortInOrder) bool { return slices.Contains(o.GetNumbers(), "+14165569003") }},
		"a number of nobody's": {&request{Number: new("416-555-0199")}, func(*portinv1.PortInOrder) bool { return false }},
		"a ticket":             {&request{TicketId: new("T-5")}, func(o *portinv1.PortInOrder) bool { return o.GetTicketId() == "T-5" }},
		"a reference":          {&request{CustomerReference: new("ref-2")}, func(o *portinv1.PortInOrder) bool { return o.GetForm().GetCustomerReference() == "ref-2" }},
		"a key in capitals":    {&request{RequestId: new("0193E3A0-0000-4000-8000-00000000ABC4")}, func(o *portinv1.PortInOrder) bool { return o.GetRequestId() == "0193e3a0-0000-4000-8000-00000000abc4" }},
		"what needs attention": {&request{NeedsAttention: new(true)}, func(o *portinv1.PortInOrder) bool { return o.GetNeedsAttention() }},
		"what needs none":      {&request{NeedsAttention: new(false)}, func(o *portinv1.PortInOrder) bool { return !o.GetNeedsAttention() }},
		"from a creation on":   {&request{FromCreateTime: moment}, func(o *portinv1.PortInOrder) bool { return !o.GetCreateTime().AsTime().Before(moment.AsTime()) }},
		"before a creation":    {&request{BeforeCreateTime: moment}, func(o *portinv1.PortInOrder) bool { return o.GetCreateTime().AsTime().Before(moment.AsTime()) }},
		"from a change on":     {&request{FromUpdateTime: updated}, func(o *portinv1.PortInOrder) bool { return !o.GetUpdateTime().AsTime().Before(updated.AsTime()) }},
		"before a change":      {&request{BeforeUpdateTime: updated}, func(o *portinv1.PortInOrder) bool { return o.GetUpdateTime().AsTime().Before(updated.AsTime()) }},
		"in no time":           {&request{FromCreateTime: moment, BeforeCreateTime: moment}, func(*portinv1.PortInOrder) bool { return false }},
		"a reference and state": {
			&request{CustomerReference: new("ref-0"), States: []portinv1.OrderState{stateAccepted, stateInDoubt}, NeedsAttention: new(true)},
			func(o *portinv1.PortInOrder) bool {
				return o.GetForm().GetCustomerReference() == "ref-0" && (o.GetState() == stateAccepted || o.GetState() == stateInDoubt) && o.GetNeedsAttention()
			},
		},
		"what needs it for a reason": {
			&request{AttentionCodes: []portinv1.AttentionCode{portinv1.AttentionCode_ATTENTION_CODE_NO_PROGRESS}},
			func(o *portinv1.PortInOrder) bool { return slices.Contains(attentions(o), "NO_PROGRESS") },
		},
		"what needs it for one of two reasons": {
			&request{AttentionCodes: []portinv1.AttentionCode{
				portinv1.AttentionCode_ATTENTION_CODE_DATE_CHANGED, portinv1.AttentionCode_ATTENTION_CODE_LATE_ANSWER,
			}, States: []portinv1.OrderState{stateAccepted}},
			func(o *portinv1.PortInOrder) bool {
				return slices.Contains(attentions(o), "DATE_CHANGED") && o.GetState() == stateAccepted
			},
		},
		"what needs none for a reason": {
			&request{AttentionCodes: []portinv1.AttentionCode{portinv1.AttentionCode_ATTENTION_CODE_NO_PROGRESS}, NeedsAttention: new(false)},
			func(*portinv1.PortInOrder) bool { return false },
		},
	} {
		var want []*portinv1.PortInOrder
		for _, o := range all {
			if c.want(o) {
				want = append(want, o)
			}
		}
		for _, size := range []int32{1, 2, 5, 50} {
			if diff := cmp.Diff(want, listed(t, d, c.req, size), protocmp.Transform()); diff != "" {
				t.Errorf("%s, in pages of %d (-want +got):\n%s", name, size, diff)
			}
		}
	}
}

// TestAListRefusesWhatItCannotRead: a filter that means nothing is the caller's mistake, and never an empty list.
func TestAListRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	type request = portinv1.ListPortInOrdersRequest
	for name, req := range map[string]*request{
		"number":             {Number: new("555-0123")},
		"from_create_time":   {FromCreateTime: &timestamppb.Timestamp{Seconds: 1 << 60}},
		"before_create_time": {BeforeCreateTime: &timestamppb.Timestamp{Seconds: -1 << 60}},
		"from_update_time":   {FromUpdateTime: &timestamppb.Timestamp{Seconds: 253402300800}}, // the year 10000
		"before_update_time": {BeforeUpdateTime: &timestamppb.Timestamp{Nanos: -1}},
	} {
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("%s: %v", name, p)
				}
			}()
			_, err := d.List(t.Context(), req)
			if f := fault.From(err); err == nil || f.Reason != fault.ReasonInvalidFields || len(f.Violations) != 1 || f.Violations[0].Field != name {
				t.Errorf("a bad %s is answered %v", name, err)
			}
		}()
	}
	if err := d.ledger.Close(); err != nil {
		t.Error(err)
	}
	if _, err := d.List(t.Context(), &request{}); reasonOf(err) != fault.ReasonLedgerUnavailable {
		t.Errorf("without a ledger: %v", err)
	}
	if _, err := d.Events(t.Context(), &portinv1.ListPortInOrderEventsRequest{OrderId: keyA}); reasonOf(err) != fault.ReasonLedgerUnavailable {
		t.Errorf("without a ledger: %v", err)
	}
}

// usualAnswer is how large an answer gRPC clients take by default.
const usualAnswer = 4 << 20

// TestAPageOfLargeOrdersIsShort: every page is one that a client takes, and no order is left out. An order of the largest
// size has a page to itself.
func TestAPageOfLargeOrdersIsShort(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var ids []string
	sizes := []int{1 << 20, 1 << 20, 1 << 20, 1 << 20, 3 << 20, 10, 10, 3 << 20, 7 << 18, 7<<18 - 200, 7 << 18}
	for i, size := range sizes {
		content, err := proto.Marshal(&portinv1.PortInOrder{Form: &portinv1.PortForm{CommentsPortTeam: new(strings.Repeat("x", size))}})
		if err != nil {
			t.Fatal(err)
		}
		created := time.Date(2026, time.March, 2, 9, i, 0, 0, time.UTC)
		r, err := d.ledger.Claim(t.Context(), ledger.Record{
			OrderID: fmt.Sprintf("0193e3a0-%04d-7000-8000-00000000000a", i), Tenant: tenant, CarrierAccount: ledger.Default,
			RequestID: fmt.Sprintf("0193e3a0-0000-4000-8000-%012d", i), Target: "trunk_did", Content: content, Numbers: []string{fmt.Sprintf("+1416556%04d", i)},
			State: order.Sending, Attempt: 1, Owner: "somebody", Created: created, Updated: created, Claimed: created,
		}, ledger.Entry{})
		if err != nil {
			t.Fatal(err)
		}
		ids = append([]string{r.OrderID}, ids...)
	}
	for _, size := range []int32{2, 50} {
		req := &portinv1.ListPortInOrdersRequest{PageSize: size}
		var got []string
		for pages := 1; ; pages++ {
			resp, err := d.List(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if n := proto.Size(resp); n > usualAnswer || len(resp.GetOrders()) == 0 {
				t.Fatalf("a page of %d orders has %d bytes", len(resp.GetOrders()), n)
			}
			for _, o := range resp.GetOrders() {
				got = append(got, o.GetOrderId())
			}
			if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
				break
			}
			if pages == len(sizes) {
				t.Fatal("the list has no end")
			}
		}
		if diff := cmp.Diff(ids, got); diff != "" {
			t.Errorf("in pages of %d (-want +got):\n%s", size, diff)
		}
	}
}

// TestEventsComeInPages of every size, and in pages that a client takes when their notes are long.
func TestEventsComeInPages(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := foreign(t, d, "somebody", keyA, "+14165550190")
	other := foreign(t, d, "somebody", keyB, "+14165550191")
	const events = 1200
	var wg sync.WaitGroup
	for i := range events {
		wg.Go(func() {
			if _, err := d.ledger.Advance(t.Context(), id, ledger.Step{Now: time.Now(), Change: func(*ledger.Record) (ledger.Entry, error) {
				return ledger.Entry{Type: ledger.EventEvidence, Note: fmt.Sprintf("%04d %s", i, strings.Repeat("x", 2*ledger.MaxNote))}, nil
			}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for size, most := range map[int32]int{0: 50, 7: 7, 1000: 1000} {
		req := &portinv1.ListPortInOrderEventsRequest{OrderId: strings.ToUpper(id), PageSize: size}
		notes, pages := map[string]bool{}, 0
		var last int64
		for {
			resp, err := d.Events(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(resp.GetEvents()); n > most || n == 0 || proto.Size(resp) > usualAnswer {
				t.Fatalf("a page of %d bytes has %d events; want at most %d, and one", proto.Size(resp), n, most)
			}
			for _, e := range resp.GetEvents() {
				if e.GetSequence() <= last || e.GetOrderId() != id {
					t.Fatalf("the event %d of %s comes after %d", e.GetSequence(), e.GetOrderId(), last)
				}
				last, notes[e.GetNote()[:4]] = e.GetSequence(), true
			}
			pages++
			if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
				break
			}
		}
		if least := (events + most) / most; len(notes) != events+1 || pages < least || size == 7 && pages != least {
			t.Errorf("in pages of %d: %d pages, %d events", size, pages, len(notes))
		}
	}
	if n := len(timeline(t, d, other)); n != 1 {
		t.Errorf("the other order has %d events", n)
	}
	_, err := d.Events(t.Context(), &portinv1.ListPortInOrderEventsRequest{OrderId: keyA})
	if reasonOf(err) != fault.ReasonOrderNotFound {
		t.Errorf("the events of no order: %v", err)
	}
}
