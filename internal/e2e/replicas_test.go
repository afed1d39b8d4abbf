package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/sandbox"
)

// Two processes on one database, one request, many callers at once: one POST, one order.
func TestFault13_TwoReplicasOneRequest(t *testing.T) {
	t.Parallel()
	const callers = 200
	carrier := newStandin(t, sandbox.Config{Delay: 2 * time.Second})
	how := apart(carrier, postgres.ledger(t))
	how.PostTimeout = 20 * time.Second
	replicas := []*process{how.start(t), how.start(t)}
	o, key := carrier.order(t, "slow"), newKey()
	answers := make(chan reply)
	for i := range callers {
		go func() { answers <- replicas[i%2].portIn(t.Context(), faces()[i/2%2], o, key) }()
	}
	orders, first := map[string]int{}, 0
	for range callers {
		r := <-answers
		if state := r.order.GetState(); r.lost != nil || r.code != codes.OK || (state != accepted && state != sending) {
			t.Errorf("a caller is answered %+v", r)
		}
		orders[r.orderID]++
		if !r.replayed {
			first++
		}
	}
	if len(orders) != 1 || first != 1 {
		t.Errorf("the answers name the orders %v, and %d are called no replay", orders, first)
	}
	if n := carrier.Counts(); n.Orders != 1 || n.Tickets != 1 {
		t.Errorf("the carrier got %d POSTs and made %d tickets", n.Orders, n.Tickets)
	}
	other := proto.CloneOf(o)
	other.Form.CommentsPortTeam = new("Ring twice")
	for _, replica := range replicas {
		for _, f := range faces() {
			if r := replica.portIn(t.Context(), f, other, key); r.code != codes.AlreadyExists || r.reason != "REQUEST_ID_REUSED" {
				t.Errorf("other content over %s is answered %+v", f, r)
			}
			if r := replica.must(t, f, o, key, accepted); !r.replayed || r.order.GetTicketId() != carrier.Tickets()[0].ID {
				t.Errorf("the same content over %s is answered %+v", f, r)
			}
		}
		if all := replica.list(t); len(all) != 1 {
			t.Errorf("there are %d orders", len(all))
		}
	}
}

// Orders of one number, each with a key of its own, race in two processes: one gets the number, and the others are told
// whose it is. And an order that was not sent is sent again once, however many ask for it at once.
func TestFault13_TwoReplicasOneNumber(t *testing.T) {
	t.Parallel()
	const callers = 40
	carrier := newStandin(t, sandbox.Config{Delay: time.Second})
	l := postgres.ledger(t)
	replicas := []*service{serve(t, carrier, l), serve(t, carrier, l)}
	crowd := func(key func() string, o *portinv1.PortInOrder) map[string]int {
		answers, said := make(chan reply), map[string]int{}
		for i := range callers {
			mine := proto.CloneOf(o)
			go func() { answers <- replicas[i%2].portIn(t.Context(), faces()[i/2%2], mine, key()) }()
		}
		for range callers {
			r := <-answers
			said[strings.Join([]string{r.reason, r.order.GetState().String(), r.orderID}, " ")]++
		}
		return said
	}
	o := carrier.order(t, "slow")
	said := crowd(newKey, o)
	all := replicas[0].list(t)
	if len(all) != 1 || carrier.Counts().Orders != 1 {
		t.Fatalf("there are %d orders, and the carrier got %d POSTs", len(all), carrier.Counts().Orders)
	}
	id := all[0].GetOrderId()
	want := map[string]int{
		" ORDER_STATE_ACCEPTED " + id: 1, "NUMBER_IN_OPEN_ORDER ORDER_STATE_UNSPECIFIED " + id: callers - 1,
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("what the callers of one number are told (-want +got):\n%s", diff)
	}

	o, key := carrier.order(t, ""), newKey()
	carrier.next(t, "throttled")
	r := replicas[0].portIn(t.Context(), overGRPC, o, key)
	if r.reason != "CARRIER_BUSY" {
		t.Errorf("an order that is throttled is answered %+v", r)
	}
	carrier.next(t, "slow")
	said = crowd(func() string { return key }, o)
	if diff := cmp.Diff(map[string]int{" ORDER_STATE_ACCEPTED " + r.orderID: callers}, said); diff != "" {
		t.Errorf("what the callers of an order that was not sent are told (-want +got):\n%s", diff)
	}
	if n := carrier.OrdersFor(digits(t, o)); n != 2 {
		t.Errorf("the carrier got %d POSTs, want 2", n)
	}
}

// A second process on a SQLite file refuses to start and says why, whatever name it has for the file; the first one does not
// notice.
func TestFault14_TwoProcessesOnOneFile(t *testing.T) {
	t.Parallel()
	carrier := newStandin(t, sandbox.Config{})
	file, link := filepath.Join(t.TempDir(), "ledger.db"), filepath.Join(t.TempDir(), "link.db")
	first := startProgram(t, carrier, "--ledger-file="+file)
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, link} {
		second := runProgram(t, carrier, "--ledger-file="+name)
		ended := within(t, patience/6, func() bool {
			select {
			case <-second.ended:
				return true
			default:
				return false
			}
		})
		if !ended || second.code != 1 || !second.log.has("another process has the ledger open") || !second.log.has("one SQLite file serves one process") {
			t.Errorf("a second process on %s (ended: %v, with %d) said:\n%s", filepath.Base(name), ended, second.code, second.log)
		}
		second.kill()
	}
	first.must(t, overGRPC, carrier.order(t, ""), newKey(), accepted)
	first.kill()
	startProgram(t, carrier, "--ledger-file="+file).must(t, overJSON, carrier.order(t, ""), newKey(), accepted)
}

// late is a replica that stops while it sends an order, and another one that goes on.
type late struct {
	carrier *standin
	ledger  config.Ledger
	stopped *process
	awake   *service
	order   *portinv1.PortInOrder
	key     string
	orderID string
	answer  chan reply
}

const lateLease = 8 * time.Second

// stopAt has a replica stop itself at a point of an order's way, and waits until the other replica ends its lease.
func stopAt(t *testing.T, point intake.Point, outcome string, u sandbox.Unknowns) *late {
	t.Helper()
	l := &late{carrier: newStandin(t, sandbox.Config{Unknowns: u, Delay: time.Second}), key: newKey(), answer: make(chan reply, 1)}
	l.ledger = postgres.ledger(t)
	how := apart(l.carrier, l.ledger)
	how.PostTimeout, how.LeaseMargin = lateLease/2, lateLease/2
	how.Point, how.Signal = point, syscall.SIGSTOP
	l.stopped = how.start(t)
	l.awake = serve(t, l.carrier, l.ledger, curious)
	l.order = l.carrier.order(t, outcome)
	go func() { l.answer <- l.stopped.portIn(t.Context(), overGRPC, l.order, l.key) }()
	if point == "" {
		l.carrier.awaitOrders(t, 1)
		l.stopped.signal(t, syscall.SIGSTOP)
	}
	until(t, "the order is claimed", func() bool { return len(l.awake.list(t)) == 1 })
	claimed := time.Now()
	l.orderID = l.awake.list(t)[0].GetOrderId()
	until(t, "the lease ends", func() bool { return l.now(t).GetState() != sending })
	if took := time.Since(claimed); took < lateLease/2 {
		t.Errorf("the lease of %v ended after %v", lateLease, took)
	}
	return l
}

// now is the order as the other replica has it.
func (l *late) now(t *testing.T) *portinv1.PortInOrder {
	t.Helper()
	return l.awake.get(t, l.orderID)
}

// wake lets the stopped replica go on, and waits for the answer of its caller.
func (l *late) wake(t *testing.T) reply {
	t.Helper()
	l.stopped.signal(t, syscall.SIGCONT)
	return <-l.answer
}

// ends compares what the order has come to.
func (l *late) ends(t *testing.T, state portinv1.OrderState, ticket string, posts int, attentions ...portinv1.AttentionCode) {
	t.Helper()
	got := l.now(t)
	if got.GetState() != state || got.GetTicketId() != ticket {
		t.Errorf("the order is %v with ticket %q, want %v with %q", got.GetState(), got.GetTicketId(), state, ticket)
	}
	var why []portinv1.AttentionCode
	for _, a := range got.GetAttentions() {
		why = append(why, a.GetCode())
	}
	if diff := cmp.Diff(attentions, why); diff != "" {
		t.Errorf("why the order needs attention (-want +got):\n%s", diff)
	}
	if n := l.carrier.Counts().Orders; n != posts {
		t.Errorf("the carrier got %d POSTs, want %d", n, posts)
	}
}

// unseen is a carrier whose tickets cannot be looked up yet.
func unseen() sandbox.Unknowns { return sandbox.Unknowns{VisibleAfter: time.Hour} }

// A replica is stopped while its POST is in flight until its lease is over. The order is found, or settled by the late
// answer, whichever comes first.
func TestFault15_StoppedInThePost(t *testing.T) {
	t.Parallel()
	l := stopAt(t, "", "slow", sandbox.Unknowns{})
	l.wake(t)
	until(t, "the order is accepted", func() bool { return l.now(t).GetState() == accepted })
	l.ends(t, accepted, l.carrier.Tickets()[0].ID, 1)
	for _, c := range []*client{l.stopped.client, l.awake.client} {
		if r := c.must(t, overGRPC, l.order, l.key, accepted); r.orderID != l.orderID {
			t.Errorf("the same request answers %+v", r)
		}
	}
}

func TestFault15_StoppedInThePost_TheAnswerIsLate(t *testing.T) {
	t.Parallel()
	t.Run("accepted, while in doubt", func(t *testing.T) {
		t.Parallel()
		l := stopAt(t, intake.PointPosted, "", unseen())
		if r := l.wake(t); r.order.GetState() != accepted {
			t.Errorf("its caller is answered %+v", r)
		}
		l.ends(t, accepted, l.carrier.Tickets()[0].ID, 1)
	})
	t.Run("refused, while in doubt", func(t *testing.T) {
		t.Parallel()
		l := stopAt(t, intake.PointPosted, "rejected", unseen())
		if r := l.wake(t); r.reason != "CARRIER_REFUSED" {
			t.Errorf("its caller is answered %+v", r)
		}
		l.ends(t, refused, "", 1)
	})
	t.Run("accepted, after it was found", func(t *testing.T) {
		t.Parallel()
		l := stopAt(t, intake.PointPosted, "", sandbox.Unknowns{})
		until(t, "the order is found", func() bool { return l.now(t).GetState() == accepted })
		if r := l.wake(t); r.order.GetState() != accepted {
			t.Errorf("its caller is answered %+v", r)
		}
		l.ends(t, accepted, l.carrier.Tickets()[0].ID, 1)
	})
	t.Run("accepted, after an operator decided otherwise", func(t *testing.T) {
		t.Parallel()
		l := stopAt(t, intake.PointPosted, "", unseen())
		if _, err := l.awake.resolve(t.Context(), l.now(t), "", false); err != nil {
			t.Fatal(err)
		}
		if r := l.wake(t); r.order.GetState() != accepted {
			t.Errorf("its caller is answered %+v", r)
		}
		l.ends(t, accepted, l.carrier.Tickets()[0].ID, 1)
	})
	t.Run("accepted, after it was sent again", func(t *testing.T) {
		t.Parallel()
		l := stopAt(t, intake.PointPosted, "", unseen())
		if _, err := l.awake.resolve(t.Context(), l.now(t), "", false); err != nil {
			t.Fatal(err)
		}
		l.awake.must(t, overGRPC, l.order, l.key, accepted)
		l.wake(t)
		// The operator erred, and the carrier has two orders: a person has to know.
		l.ends(t, accepted, l.carrier.Tickets()[1].ID, 2, portinv1.AttentionCode_ATTENTION_CODE_LATE_ANSWER)
		events := l.awake.events(t, l.orderID)
		found := false
		for _, event := range events {
			found = found || event.GetType() == portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_EVIDENCE && event.GetTicketId() == l.carrier.Tickets()[0].ID
		}
		if !found {
			t.Errorf("the late answer is no evidence: %v", events)
		}
	})
}

// A replica that is stopped between the claim and the POST until its lease may be over does not begin the POST.
func TestFault15_StoppedBeforeThePost(t *testing.T) {
	t.Parallel()
	l := stopAt(t, intake.PointClaimed, "", sandbox.Unknowns{})
	if r := l.wake(t); r.reason != "LEDGER_UNAVAILABLE" {
		t.Errorf("its caller is answered %+v", r)
	}
	l.ends(t, notSent, "", 0)
	l.awake.must(t, overJSON, l.order, l.key, accepted)
	l.ends(t, accepted, l.carrier.Tickets()[0].ID, 1)
}
