package e2e_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/sandbox"
)

// eager makes the service ask about accepted orders all the time.
func eager(p *app.Params) {
	p.Config.Orders.PollInterval, p.Config.Orders.PollsPerSecond = time.Second, 1000
}

// categories are what the carrier's words mean, as the contract says; a word that is not here needs attention.
var categories = map[string]portinv1.Category{
	"PENDING": portinv1.Category_CATEGORY_OPEN, "SUBMITTED": portinv1.Category_CATEGORY_OPEN,
	"CONFIRMED": portinv1.Category_CATEGORY_SCHEDULED, "RESCHEDULED": portinv1.Category_CATEGORY_SCHEDULED,
	"CONFIRMEDwDATECHANGE": portinv1.Category_CATEGORY_SCHEDULED, "CANCELLATIONPENDING": portinv1.Category_CATEGORY_OPEN,
	"PARTIALCANCELLATION": portinv1.Category_CATEGORY_OPEN, "CANCELLED": portinv1.Category_CATEGORY_CLOSED,
	"FULLCANCELLATION": portinv1.Category_CATEGORY_CLOSED, "EXPIRED": portinv1.Category_CATEGORY_CLOSED,
	"COMPLETED": portinv1.Category_CATEGORY_CLOSED,
}

// ported is an order on its way through a scenario of the carrier.
type ported struct {
	id, scenario string
	// words are the carrier's so far, each once in a row.
	words []string
}

// TestEveryWordOfTheCarrierIsFollowed takes an order through each scenario that the carrier has, on a clock that the test
// drives, and compares what callers see with what the carrier said at each step. All that happens is told to those who watch,
// by every way, and to a receiver.
func TestEveryWordOfTheCarrierIsFollowed(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := start(t, e, eager)
		h := newReceiver(t)
		h.register(t, s.client, f)
		var watchers []*watcher
		for _, way := range waysToWatch() {
			watchers = append(watchers, s.watcher(t, way))
		}
		var all []*ported
		for _, scenario := range sandbox.Scenarios() {
			o := s.carrier.order(t, scenario.Name)
			all = append(all, &ported{id: s.must(t, f, o, newKey(), accepted).order.GetOrderId(), scenario: scenario.Name})
		}
		for _, wait := range []time.Duration{0, 2 * time.Hour, 47 * time.Hour, 24 * time.Hour, 48 * time.Hour, 8 * 24 * time.Hour, 8 * 24 * time.Hour, 20 * 24 * time.Hour} {
			s.carrier.Advance(wait)
			says := map[string]string{}
			for _, ticket := range s.carrier.Tickets() {
				says[ticket.ID] = ticket.Status
			}
			for _, p := range all {
				until(t, p.scenario+" is followed", func() bool {
					o := s.get(t, p.id)
					return o.GetCarrierStatusWord() == says[o.GetTicketId()]
				})
				if word := s.get(t, p.id).GetCarrierStatusWord(); len(p.words) == 0 || p.words[len(p.words)-1] != word {
					p.words = append(p.words, word)
				}
			}
		}
		for _, p := range all {
			s.checkStory(t, p)
		}
		if n := s.metric(t, `portin_orders_accepted{category="open"}`); n != 2 { // stays-pending, stays-submitted
			t.Errorf("%v orders are open", n)
		}
		s.checkReasons(t, f)
		events := s.allEvents(t)
		for _, w := range watchers {
			w.wantAll(t, events)
		}
		h.wantAll(t, events)
	})
}

// checkReasons asks over a face for the orders that need attention for each reason, and compares them, and what is counted,
// with what all orders say. Some have a status that needs a look; none has been still for days.
func (s *service) checkReasons(t *testing.T, over face) {
	t.Helper()
	want, got := map[string][]string{}, map[string][]string{}
	wantCount, gotCount := map[string]int{}, map[string]int{}
	for _, o := range s.list(t) {
		for _, a := range o.GetAttentions() {
			want[a.GetCode().String()] = append(want[a.GetCode().String()], o.GetOrderId())
		}
	}
	if len(want["ATTENTION_CODE_CARRIER_STATUS"]) == 0 || len(want["ATTENTION_CODE_NO_PROGRESS"]) > 0 {
		t.Errorf("the orders need attention for %v", want)
	}
	for number, name := range portinv1.AttentionCode_name {
		if number == 0 {
			continue
		}
		for _, o := range s.needing(t, over, portinv1.AttentionCode(number)) {
			got[name] = append(got[name], o.GetOrderId())
		}
		reason := strings.ToLower(strings.TrimPrefix(name, "ATTENTION_CODE_"))
		gotCount[name], wantCount[name] = int(s.metric(t, `portin_orders_need_attention_by_reason{reason="`+reason+`"}`)), len(want[name])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the orders by reason for attention (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantCount, gotCount); diff != "" {
		t.Errorf("how many there are of each reason (-want +got):\n%s", diff)
	}
}

// needing lists the orders that need attention for a reason over a face.
func (s *service) needing(t *testing.T, over face, code portinv1.AttentionCode) []*portinv1.PortInOrder {
	t.Helper()
	if over == overGRPC {
		resp, err := s.grpc.ListPortInOrders(t.Context(), &portinv1.ListPortInOrdersRequest{AttentionCodes: []portinv1.AttentionCode{code}})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetOrders()
	}
	a := s.do(t, http.MethodGet, "http://"+s.HTTPAddress+"/v1/port-ins?attentionCodes="+code.String(), nil)
	resp := &portinv1.ListPortInOrdersResponse{}
	if err := protojson.Unmarshal(a.body, resp); err != nil || a.status != http.StatusOK {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	return resp.GetOrders()
}

// checkStory compares an order at the end of its scenario, and its events, with the words that the carrier had for it.
func (s *service) checkStory(t *testing.T, p *ported) {
	t.Helper()
	o := s.get(t, p.id)
	last := p.words[len(p.words)-1]
	want, known := categories[last]
	if !known {
		want = portinv1.Category_CATEGORY_ATTENTION
	}
	if o.GetCategory() != want || o.GetState() != accepted || o.GetCheckTime() == nil {
		t.Errorf("%s ends as %v %v, want %v", p.scenario, o.GetState(), o.GetCategory(), want)
	}
	if needs := want == portinv1.Category_CATEGORY_ATTENTION; o.GetNeedsAttention() != needs {
		t.Errorf("%s, which ends as %s, needs attention: %v, %v", p.scenario, last, o.GetNeedsAttention(), o.GetAttentions())
	}
	var words []string
	for _, e := range s.events(t, p.id) {
		if e.GetType() != portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_STATUS_CHANGED {
			continue
		}
		if e.GetActorKind() != portinv1.ActorKind_ACTOR_KIND_CARRIER || e.GetState() != accepted {
			t.Errorf("%s: the event %v", p.scenario, e)
		}
		if word := e.GetCarrierStatusWord(); len(words) == 0 || words[len(words)-1] != word {
			words = append(words, word)
		}
	}
	if diff := cmp.Diff(p.words, words); diff != "" {
		t.Errorf("%s: the words of its events (-carrier +events):\n%s", p.scenario, diff)
	}
	if strings.HasPrefix(p.scenario, "rejected") || p.scenario == "corrected" {
		var reasons []portinv1.RejectReason
		for _, r := range o.GetRejects() {
			reasons = append(reasons, r.GetReason())
		}
		if diff := cmp.Diff([]portinv1.RejectReason{
			portinv1.RejectReason_REJECT_REASON_ACCOUNT_NUMBER, portinv1.RejectReason_REJECT_REASON_OTHER, portinv1.RejectReason_REJECT_REASON_OTHER,
		}, reasons); diff != "" || o.GetRejects()[0].GetField() != "order.form.customer_account_number" {
			t.Errorf("%s: its rejects (-want +got):\n%s", p.scenario, diff)
		}
	}
	a := s.do(t, http.MethodGet, "http://"+s.HTTPAddress+"/v1/port-ins/"+p.id, nil)
	over := &portinv1.PortInOrder{}
	if err := protojson.Unmarshal(a.body, over); err != nil || a.status != http.StatusOK {
		t.Fatalf("%s over JSON: %d, %v", p.scenario, a.status, err)
	}
	if diff := cmp.Diff(o, over, protocmp.Transform(), protocmp.IgnoreFields(&portinv1.Warning{}, "field"), protocmp.IgnoreFields(&portinv1.Reject{}, "field"),
		protocmp.IgnoreFields(&portinv1.PortInOrder{}, "check_time")); diff != "" {
		t.Errorf("%s over JSON (-gRPC +JSON):\n%s", p.scenario, diff)
	}
}

// TestReplicasShareTheFollowing has several services on one ledger follow one order: the carrier is asked as often as by one.
func TestReplicasShareTheFollowing(t *testing.T) {
	t.Parallel()
	slow := func(p *app.Params) {
		eager(p)
		p.Config.Orders.PollInterval = 3 * time.Second
	}
	first := start(t, postgres, slow)
	id := first.must(t, overGRPC, first.carrier.order(t, "stays-pending"), newKey(), accepted).order.GetOrderId()
	for range 2 {
		serve(t, first.carrier, first.ledger, slow)
	}
	begin := first.asked()
	const looks = 4
	started := time.Now()
	until(t, "it was asked about a few times", func() bool { return first.asked() >= begin+looks })
	if took := time.Since(started); took < (looks-1)*2500*time.Millisecond {
		t.Errorf("%d look-ups took %v; want them 3 s apart or more", looks, took)
	}
	if events := first.events(t, id); len(events) != 3 {
		t.Errorf("%d events for one change: %v", len(events), events)
	}
}

// asked counts the look-ups by ticket.
func (s *service) asked() int {
	return len(slices.DeleteFunc(s.carrier.Received(), func(r sandbox.Received) bool { return !strings.Contains(r.Path, "/Tickets/") }))
}

// TestAPortInFromElsewhereIsFollowed follows one by ticket and by number, over both faces, to its end.
func TestAPortInFromElsewhereIsFollowed(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := start(t, e, eager)
		ticket, err := s.carrier.PlaceElsewhere(sandbox.Elsewhere{Numbers: []int64{4165550777, 4165550778}, Age: sandbox.Duration(50 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		o := s.follow(t, f, &portinv1.FollowedPortIn{Key: &portinv1.FollowedPortIn_TicketId{TicketId: ticket.ID}, CustomerReference: new("branch 12")})
		if again := s.follow(t, f, &portinv1.FollowedPortIn{Key: &portinv1.FollowedPortIn_Number{Number: "416-555-0778"}}); again.GetOrderId() != o.GetOrderId() {
			t.Errorf("followed twice: %v", again)
		}
		if o.GetCarrierStatusWord() != "CONFIRMED" || !o.GetPlacedElsewhere() || o.GetTarget() != nil || o.GetForm().GetCustomerReference() != "branch 12" ||
			!slices.Equal(o.GetNumbers(), []string{"+14165550777", "+14165550778"}) {
			t.Errorf("the order is %v", o)
		}
		s.carrier.Advance(15 * 24 * time.Hour)
		until(t, "it is over", func() bool { return s.get(t, o.GetOrderId()).GetCategory() == portinv1.Category_CATEGORY_CLOSED })
	})
}

// follow has a port-in followed over a face.
func (s *service) follow(t *testing.T, over face, p *portinv1.FollowedPortIn) *portinv1.PortInOrder {
	t.Helper()
	if over == overGRPC {
		resp, err := s.grpc.FollowPortIn(t.Context(), &portinv1.FollowPortInRequest{PortIn: p})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetOrder()
	}
	body, err := protojson.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	a := s.do(t, http.MethodPost, "http://"+s.HTTPAddress+"/v1/port-ins:follow", body)
	o := &portinv1.PortInOrder{}
	if err := protojson.Unmarshal(a.body, o); err != nil || a.status != http.StatusOK {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	return o
}

// TestARejectedOrderIsResubmitted goes the whole way: rejected by the losing carrier, seen, corrected, ported.
func TestARejectedOrderIsResubmitted(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := start(t, e, eager)
		placed := s.carrier.order(t, "rejected-by-carrier")
		old := s.must(t, f, placed, newKey(), accepted).order
		if r := s.resubmit(t, f, old.GetOrderId(), newKey()); r.reason != "NOT_CORRECTABLE" {
			t.Errorf("an order that is pending: %+v", r)
		}
		s.carrier.Advance(50 * time.Hour)
		until(t, "the rejection is seen", func() bool { return s.get(t, old.GetOrderId()).GetCarrierStatusWord() == "REJECTED" })
		if r := s.portIn(t.Context(), f, placed, newKey()); r.reason != "NUMBER_IN_OPEN_ORDER" {
			t.Errorf("a plain order for the numbers: %+v", r)
		}
		key := newKey()
		r := s.resubmit(t, f, old.GetOrderId(), key)
		if r.order.GetState() != accepted || r.order.GetCorrectsOrderId() != old.GetOrderId() || r.order.GetTicketId() == old.GetTicketId() {
			t.Fatalf("the correction: %+v", r)
		}
		if again := s.resubmit(t, f, old.GetOrderId(), key); !again.replayed || again.orderID != r.orderID {
			t.Errorf("the same again: %+v", again)
		}
		if other := s.resubmit(t, f, old.GetOrderId(), newKey()); other.reason != "NOT_CORRECTABLE" {
			t.Errorf("a second correction: %+v", other)
		}
		s.carrier.Advance(20 * 24 * time.Hour)
		until(t, "the correction is ported", func() bool { return s.get(t, r.orderID).GetCarrierStatusWord() == "COMPLETED" })
		if n := s.carrier.Counts().Orders; n != 2 {
			t.Errorf("the carrier got %d POSTs, want 2", n)
		}
	})
}

// resubmit corrects the account number of an order over a face.
func (c *client) resubmit(t *testing.T, over face, orderID, key string) reply {
	t.Helper()
	o := &portinv1.PortInOrder{Form: &portinv1.PortForm{
		CustomerName: "Canary Bakery", CustomerAccountNumber: "canary-account-2",
		LettersOfAuthorization: []*portinv1.Document{{FileName: "canary.pdf", MimeType: "application/pdf", Content: []byte("%PDF-1.7\ncanary-document")}},
	}}
	if over == overGRPC {
		resp, err := c.grpc.ResubmitPortIn(t.Context(), &portinv1.ResubmitPortInRequest{OrderId: orderID, Order: o, RequestId: key})
		if err != nil {
			return failed(status.Convert(err))
		}
		return replied(&portinv1.PortInResponse{Order: resp.GetOrder(), Replayed: resp.GetReplayed()})
	}
	body, err := protojson.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	a := c.do(t, http.MethodPost, "http://"+c.HTTPAddress+"/v1/port-ins/"+orderID+":resubmit?updateMask=form.customer_name,form.customer_account_number,form.letters_of_authorization",
		body, "Idempotency-Key", key)
	return readReply(a)
}

// TestFollowingUnderEverySwitch follows orders under every setting of what is unknown of the carrier. A status may stay
// unknown; none is that of another ticket, and none ends an order that the carrier still has.
func TestFollowingUnderEverySwitch(t *testing.T) {
	t.Parallel()
	for _, unknown := range sandbox.AllUnknowns() {
		t.Run(unknown.Name, func(t *testing.T) {
			t.Parallel()
			carrier := newStandin(t, sandbox.Config{Unknowns: unknown.Unknowns, Seed: 1})
			s := serve(t, carrier, sqlite.ledger(t), eager, func(p *app.Params) {
				p.Config.Carrier.NoPortIn, p.Config.Orders.DoubtWindow = saysNone[unknown.Unknowns.None], time.Second
			})
			again := carrier.order(t, "completes") // its number was ported once before
			number, _ := strconv.ParseInt(strings.TrimPrefix(again.GetTrunkDid().GetDids()[0].GetNumber(), "+1"), 10, 64)
			if _, err := carrier.PlaceElsewhere(sandbox.Elsewhere{Numbers: []int64{number}, Age: sandbox.Duration(400 * time.Hour)}); err != nil {
				t.Fatal(err)
			}
			orders := []*portinv1.PortInOrder{again, carrier.order(t, "completes"), carrier.order(t, "cancelled"), carrier.order(t, "deferred"), carrier.order(t, "rejected-by-carrier")}
			tickets := map[string]string{}
			for _, o := range orders {
				before := len(carrier.Tickets())
				id := s.must(t, faces()[len(tickets)%2], o, newKey(), accepted).order.GetOrderId()
				tickets[id] = ""
				if all := carrier.Tickets(); len(all) > before {
					tickets[id] = all[len(all)-1].ID
				}
			}
			was := map[string][]string{}
			note := func() {
				for _, ticket := range carrier.Tickets() {
					was[ticket.ID] = append(was[ticket.ID], ticket.Status)
				}
			}
			note()
			for _, wait := range []time.Duration{time.Hour, 60 * time.Hour, 30 * 24 * time.Hour} {
				carrier.Advance(wait)
				note()
				looks := len(carrier.Received())
				until(t, "the carrier was asked", func() bool { return len(carrier.Received()) >= looks+4 })
				for id, ticket := range tickets {
					o := s.get(t, id)
					if word := o.GetCarrierStatusWord(); word != "" && !slices.Contains(was[ticket], word) {
						t.Errorf("the order of ticket %q is %q; the ticket was %q", ticket, word, was[ticket])
					}
					if over := o.GetCategory() == portinv1.Category_CATEGORY_CLOSED; over && !isOver(was[ticket]) {
						t.Errorf("the order of ticket %q is over; the ticket was %q", ticket, was[ticket])
					}
				}
			}
			if n := carrier.Counts().Orders; n != len(orders) {
				t.Errorf("the carrier got %d POSTs, want %d", n, len(orders))
			}
		})
	}
}

// isOver reports whether the latest of a ticket's words ends it.
func isOver(words []string) bool {
	return len(words) > 0 && categories[words[len(words)-1]] == portinv1.Category_CATEGORY_CLOSED
}
