package e2e_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/sandbox"
)

// The same key answers the same order, over either face, before and after a restart, in every state that an order can rest
// in; and other content under it is refused.
func TestReplaysAcrossARestart(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		s := start(t, e, quick)
		type request struct {
			order *portinv1.PortInOrder
			key   string
			first reply
		}
		requests := map[portinv1.OrderState]request{}
		for _, c := range []struct {
			state   portinv1.OrderState
			outcome string
		}{{accepted, ""}, {inDoubt, "cut-after-ticket"}, {refused, "rejected"}, {notSent, "throttled"}} {
			r := request{order: s.carrier.order(t, c.outcome), key: newKey()}
			r.first = s.portIn(t.Context(), overGRPC, r.order, r.key)
			if got := s.get(t, r.first.orderID).GetState(); got != c.state {
				t.Fatalf("the order is %v, want %v", got, c.state)
			}
			if c.state == accepted { // it is followed: what comes back is the order as it now is
				until(t, "the carrier was asked about it", func() bool { return s.get(t, r.first.orderID).GetCarrierStatusWord() != "" })
				r.first.order = s.get(t, r.first.orderID)
				// From now on the carrier says nothing more of any of them, however long this takes.
				if err := s.carrier.FailLookups(sandbox.StatusLookups, 10_000, "empty-503"); err != nil {
					t.Fatal(err)
				}
			}
			requests[c.state] = r
		}
		kept := map[string]*portinv1.PortInOrder{}
		for _, o := range s.list(t) {
			kept[o.GetOrderId()] = o
		}
		for range 2 {
			for state, r := range requests {
				for _, f := range faces() {
					if state == notSent { // which would be sent again
						continue
					}
					again := s.portIn(t.Context(), f, r.order, r.key)
					if again.code != r.first.code || again.reason != r.first.reason || again.message != r.first.message || again.orderID != r.first.orderID {
						t.Errorf("over %s the %v order was answered %+v and now %+v", f, state, r.first, again)
					}
					alike := []cmp.Option{protocmp.Transform()}
					if f == overJSON { // where warnings name fields as JSON has them
						alike = append(alike, protocmp.IgnoreFields(&portinv1.Warning{}, "field"))
					}
					if diff := cmp.Diff(r.first.order, again.order, alike...); diff != "" {
						t.Errorf("over %s the %v order (-first +again):\n%s", f, state, diff)
					}
					if again.replayed != (again.code == codes.OK) {
						t.Errorf("over %s the %v order is called a replay: %v", f, state, again.replayed)
					}
				}
			}
			for _, r := range requests {
				other := proto.CloneOf(r.order)
				other.Form.CommentsPortTeam = new("Ring twice")
				for _, f := range faces() {
					if got := s.portIn(t.Context(), f, other, r.key); got.code != codes.AlreadyExists || got.reason != "REQUEST_ID_REUSED" {
						t.Errorf("other content over %s: %+v", f, got)
					}
				}
			}
			s = s.again(t, quick)
			for _, o := range s.list(t) {
				if diff := cmp.Diff(kept[o.GetOrderId()], o, protocmp.Transform()); diff != "" {
					t.Errorf("across a restart (-before +after):\n%s", diff)
				}
			}
		}
		if n := len(s.carrier.posts()); n != len(requests) {
			t.Errorf("the carrier got %d POSTs, want %d", n, len(requests))
		}
		r := requests[notSent]
		s.carrier.next(t, "accepted")
		if got := s.must(t, overJSON, r.order, r.key, accepted); got.orderID != r.first.orderID || got.order.GetAttempt() != 2 || got.replayed {
			t.Errorf("the order that was not sent: %+v, before %+v", got, r.first)
		}
	})
}
