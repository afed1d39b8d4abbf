package intake_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
)

func TestValidateOnlySendsAndKeepsNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.directory.warnings = []*portinv1.Warning{{Field: "order.form", Code: portinv1.WarningCode_WARNING_CODE_NOT_CHECKED, Description: "x"}}
	req := request(t, keyA)
	req.ValidateOnly = true
	resp, err := d.PortIn(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	o := resp.GetOrder()
	if o.GetOrderId() != "" || o.GetState() != 0 || resp.GetReplayed() || len(o.GetWarnings()) == 0 ||
		o.GetTrunkDid().GetDids()[0].GetNumber() != "+14165550123" || o.GetForm().GetLastInvoices()[0].GetSizeBytes() == 0 {
		t.Errorf("validate_only answers %v", resp)
	}
	if posts, looks := d.carrier.count(); posts != 0 || looks != 0 {
		t.Errorf("%d POSTs and %d looks, want none", posts, looks)
	}
	if resp, err := d.PortIn(t.Context(), request(t, keyA)); err != nil || resp.GetReplayed() {
		t.Errorf("the key was used: %v, %v", resp, err)
	}
	bad := request(t, "")
	bad.ValidateOnly = true
	bad.Order.Form.CustomerName = ""
	if _, err := d.PortIn(t.Context(), bad); reasonOf(err) != fault.ReasonInvalidFields {
		t.Errorf("a bad order answers %v", err)
	}
}

func TestCheckSizeWantsAKey(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for key, legal := range map[string]bool{
		keyA: true, strings.ToUpper(keyA): true, "": false, "1": false, "00000000-0000-0000-0000-000000000000": false,
		"urn:uuid:" + keyA: false, "{" + keyA + "}": false, strings.ReplaceAll(keyA, "-", ""): false,
	} {
		err := d.CheckSize(request(t, key))
		if legal != (err == nil) {
			t.Errorf("the key %q: %v", key, err)
		}
		if err != nil {
			if f := fault.From(err); f.Reason != fault.ReasonInvalidFields || len(f.Violations) != 1 || f.Violations[0].Field != "request_id" {
				t.Errorf("the key %q: %+v", key, f)
			}
		}
	}
	if err := d.CheckSize(&portinv1.PortInRequest{ValidateOnly: true, Order: request(t, "").GetOrder()}); err != nil {
		t.Errorf("validate_only without a key: %v", err)
	}
	if err := d.CheckSize(&portinv1.PortInRequest{RequestId: keyA}); reasonOf(err) != fault.ReasonInvalidFields {
		t.Errorf("no order at all: %v", err)
	}
}

// What cannot be anybody's replay, for want of a key or of a target, is told everything that is wrong at once; but of an order that is
// too large nothing more is looked at.
func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, c := range map[string]struct {
		change func(r *portinv1.PortInRequest)
		want   []string
	}{
		"no key":    {func(r *portinv1.PortInRequest) { r.RequestId = "" }, []string{"order.form.customer_name", "request_id"}},
		"no target": {func(r *portinv1.PortInRequest) { r.Order.Target = nil }, []string{"order.form.customer_name", "order.target"}},
		"neither":   {func(r *portinv1.PortInRequest) { r.RequestId, r.Order.Target = "1", nil }, []string{"order.form.customer_name", "order.target", "request_id"}},
		"no form":   {func(r *portinv1.PortInRequest) { r.Order.Target, r.Order.Form = nil, nil }, []string{"order.form", "order.target"}},
		"no order":  {func(r *portinv1.PortInRequest) { proto.Reset(r) }, []string{"order", "request_id"}},
		"too large": {func(r *portinv1.PortInRequest) {
			r.RequestId = ""
			for range usual().Limits.MaxNumbers + 1 {
				r.Order.GetTrunkDid().Dids = append(r.Order.GetTrunkDid().Dids, &portinv1.TrunkDid_Did{})
			}
		}, []string{"order.trunk_did.dids", "request_id"}},
		"a key and a target": {func(*portinv1.PortInRequest) {}, nil}, // the rules come after a replay
	} {
		r := request(t, keyA)
		r.Order.Form.CustomerName = " "
		c.change(r)
		var got []string
		if err := d.CheckSize(r); err != nil {
			for _, v := range fault.From(err).Violations {
				got = append(got, v.Field)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFault16_ALedgerThatCannotClaimSendsNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.ledger.fails(noClaim, nil)
	if _, err := d.PortIn(t.Context(), request(t, keyA)); reasonOf(err) != fault.ReasonLedgerUnavailable || fault.From(err).RetryAfter == 0 {
		t.Errorf("the order answers %v", err)
	}
	if posts, _ := d.carrier.count(); posts != 0 {
		t.Errorf("%d POSTs, want none", posts)
	}
	drainless(t, d)
	d.ledger.fails(nil, nil)
	if _, err := d.PortIn(t.Context(), request(t, keyA)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestFault17_AResultThatCannotBeWrittenIsInDoubt has the ledger fail after the carrier accepted, and recover.
func TestFault17_AResultThatCannotBeWrittenIsInDoubt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.ledger.fails(nil, noAdvance)
		resp, err := d.PortIn(t.Context(), request(t, keyA))
		if err != nil || resp.GetOrder().GetState() != portinv1.OrderState_ORDER_STATE_IN_DOUBT {
			t.Errorf("%v, %v; want IN_DOUBT", resp, err)
		}
		if d.Unsettled() != 1 {
			t.Errorf("%d results are owed, want 1", d.Unsettled())
		}
		if again, err := d.PortIn(t.Context(), request(t, keyA)); err != nil || again.GetOrder().GetState() != portinv1.OrderState_ORDER_STATE_IN_DOUBT {
			t.Errorf("the replay answers %v, %v; want IN_DOUBT", again, err)
		}
		if _, err := d.PortIn(t.Context(), request(t, keyB, "416-555-0140")); reasonOf(err) != fault.ReasonLedgerUnavailable {
			t.Errorf("another order meanwhile answers %v", err)
		}
		d.ledger.fails(nil, nil)
		<-time.After(10 * time.Second)
		if d.Unsettled() != 0 {
			t.Errorf("%d results are owed afterwards, want none", d.Unsettled())
		}
		if now, err := d.PortIn(t.Context(), request(t, keyA)); err != nil || now.GetOrder().GetTicketId() != "T-1" {
			t.Errorf("afterwards: %v, %v; want the ticket", now, err)
		}
		if _, err := d.PortIn(t.Context(), request(t, keyB, "416-555-0140")); err != nil {
			t.Errorf("another order afterwards answers %v", err)
		}
		if posts, _ := d.carrier.count(); posts != 2 {
			t.Errorf("%d POSTs, want 2", posts)
		}
	})
}

func TestDrainWaitsForOrdersInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		d := newDesk(t, withSubmit(func(context.Context, carrier.Call) carrier.Outcome {
			<-answer
			return accepted(1)
		}))
		placed := make(chan error)
		go func() {
			_, err := d.PortIn(t.Context(), request(t, keyA))
			placed <- err
		}()
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		if err := d.Drain(short); err == nil {
			t.Error("Drain did not wait for the order in flight")
		}
		cancel()
		if _, err := d.PortIn(t.Context(), request(t, keyB, "416-555-0140")); reasonOf(err) != fault.ReasonShuttingDown {
			t.Errorf("a new order while stopping answers %v", err)
		}
		close(answer)
		drained(t, d)
		if err := <-placed; err != nil {
			t.Errorf("the order in flight answers %v", err)
		}
	})
}

func TestAnAnswerHoldsNothingThatOnlyGoesIn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	req := request(t, keyA)
	req.Order.Target = &portinv1.PortInOrder_ResidentialLine{ResidentialLine: &portinv1.ResidentialLine{Lines: []*portinv1.ResidentialLine_Line{{
		Number: "416-555-0123", Account: proto.Int64(7), PlanId: "P", Enabled: new(false), Locale: portinv1.Locale_LOCALE_FRENCH_CA,
		SecondLocale: portinv1.SecondLocale_SECOND_LOCALE_NONE, SipPassword: new("sip"), WebSelfCarePassword: new("web"),
	}}}}
	resp, err := d.PortIn(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Get(t.Context(), resp.GetOrder().GetOrderId())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []*portinv1.PortInOrder{resp.GetOrder(), got} {
		noInputOnly(t, o.ProtoReflect())
	}
	doc := got.GetForm().GetLastInvoices()[0]
	want := &portinv1.Document{
		FileName: "invoice.pdf", MimeType: "application/pdf", SizeBytes: 9,
		Sha256: "e5c62df5dab5c87b6a015ef3d43597074d1eec433b15f51aec63b8582d0e4ab4",
	}
	if diff := cmp.Diff(want, doc, protocmp.Transform()); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if d.carrier.posts[0].Body == nil || !strings.Contains(string(d.carrier.posts[0].Body), `"sip"`) {
		t.Error("the password did not reach the carrier")
	}
	// A password takes no part in the comparison of a replay.
	req = request(t, keyA)
	req.Order.Target = proto.CloneOf(got).Target
	req.Order.GetResidentialLine().Lines[0].SipPassword = new("another")
	if again, err := d.PortIn(t.Context(), req); err != nil || !again.GetReplayed() {
		t.Errorf("with another password: %v, %v", again, err)
	}
}

// noInputOnly walks a message and reports every INPUT_ONLY field that is set.
func noInputOnly(t *testing.T, m protoreflect.Message) {
	t.Helper()
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		for _, b := range proto.GetExtension(fd.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior) {
			if b == annotations.FieldBehavior_INPUT_ONLY {
				t.Errorf("%s is in an answer", fd.FullName())
			}
		}
		switch {
		case fd.Message() == nil:
		case fd.IsList():
			for i := range v.List().Len() {
				noInputOnly(t, v.List().Get(i).Message())
			}
		default:
			noInputOnly(t, v.Message())
		}
		return true
	})
}

func TestAnEarlierTicketIsAWarning(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]int{"PENDING": 1, "COMPLETED": 0} {
		d := newDesk(t, func(d *desk, _ *intake.Params) {
			d.carrier.byNumber = func(context.Context, int64) (carrier.Status, error) {
				return status("T-7", word, 4165550123, 4165550124), nil
			}
		})
		resp, err := d.PortIn(t.Context(), request(t, keyA))
		if err != nil {
			t.Fatal(err)
		}
		if posts, _ := d.carrier.count(); posts != 1 || resp.GetOrder().GetTicketId() != "T-1" {
			t.Errorf("a new order took the ticket of another: %v after %d POSTs", resp.GetOrder().GetTicketId(), posts)
		}
		got := 0
		for _, w := range resp.GetOrder().GetWarnings() {
			if w.GetCode() == portinv1.WarningCode_WARNING_CODE_EARLIER_TICKET && strings.Contains(w.GetDescription(), "T-7") {
				got++
			}
		}
		if got != want {
			t.Errorf("a ticket that is %s gives %d warnings, want %d", word, got, want)
		}
	}
}

func TestALookThatFails(t *testing.T) {
	t.Parallel()
	down := func(d *desk, _ *intake.Params) {
		d.carrier.byNumber = func(context.Context, int64) (carrier.Status, error) {
			return carrier.Status{}, fault.New(fault.ReasonCarrierUnreachable, "down")
		}
	}
	if _, err := newDesk(t, down).PortIn(t.Context(), request(t, keyA)); err != nil {
		t.Errorf("a look that fails stops the order: %v", err)
	}
	strict := newDesk(t, down, func(_ *desk, p *intake.Params) { p.Config.RequireLook = true })
	if _, err := strict.PortIn(t.Context(), request(t, keyA)); reasonOf(err) != fault.ReasonCarrierUnreachable {
		t.Errorf("a look that is required fails, and the order answers %v", err)
	}
	if posts, _ := strict.carrier.count(); posts != 0 {
		t.Errorf("%d POSTs without the look that is required", posts)
	}
}

func TestAnUnknownOrderIsNotFound(t *testing.T) {
	t.Parallel()
	if _, err := newDesk(t).Get(t.Context(), keyA); reasonOf(err) != fault.ReasonOrderNotFound {
		t.Errorf("an unknown order answers %v", err)
	}
}

// TestAnOrderWhoseAnswerIsTooLargeIsNotPlaced: a gRPC client takes 4 MiB by default.
func TestAnOrderWhoseAnswerIsTooLargeIsNotPlaced(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	req := request(t, keyA, "416-555-0123")
	req.Order.GetForm().CommentsPortTeam = new(strings.Repeat("x", 3<<20))
	_, err := d.PortIn(t.Context(), req)
	if f := fault.From(err); f == nil || f.Reason != fault.ReasonInvalidFields || f.Violations[0].Field != "order" {
		t.Errorf("an order of 3 MiB of text answers %v", err)
	}
	// Documents do not come back, so they do not count.
	req = request(t, keyA, "416-555-0123")
	req.Order.GetForm().LastInvoices[0].Content = append([]byte("%PDF-1.7"), make([]byte, 4<<20)...)
	if _, err := d.PortIn(t.Context(), req); err != nil {
		t.Errorf("an order with 4 MiB of documents answers %v", err)
	}
}

func TestAnOrderIsFoundInAnySpelling(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	resp, err := d.PortIn(t.Context(), request(t, keyA))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(t.Context(), strings.ToUpper(resp.GetOrder().GetOrderId())); err != nil {
		t.Error(err)
	}
}

func TestWhatDependsOnTheClockIsChecked(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	req := request(t, keyA)
	req.Order.GetForm().RequestedPortDate = new("2020-01-06")
	_, err := d.PortIn(t.Context(), req)
	if f := fault.From(err); f == nil || f.Reason != fault.ReasonInvalidFields || f.Violations[0].Field != "order.form.requested_port_date" {
		t.Errorf("a date that is over answers %v", err)
	}
}

func TestFault32_APanicOfTheLedgerEndsInAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var counted atomic.Int64
		d := newDesk(t, func(_ *desk, p *intake.Params) {
			p.Log, p.Panicked = slog.New(slog.NewTextHandler(&log, nil)), func() { counted.Add(1) }
		})
		d.ledger.fails(func(context.Context, ledger.Record, ledger.Entry) (ledger.Record, error) { panic("claim") }, nil)
		if _, err := d.PortIn(t.Context(), request(t, keyA)); reasonOf(err) != fault.ReasonLedgerUnavailable {
			t.Errorf("a claim that panics answers %v", err)
		}
		if posts, _ := d.carrier.count(); posts != 0 {
			t.Errorf("%d POSTs without a claim", posts)
		}
		drainless(t, d)
		d.ledger.fails(nil, func(context.Context, string, ledger.Step) (ledger.Record, error) { panic("planted") })
		resp, err := d.PortIn(t.Context(), request(t, keyA))
		if err != nil || resp.GetOrder().GetState() != portinv1.OrderState_ORDER_STATE_IN_DOUBT {
			t.Errorf("a result whose writing panics answers %v, %v; want IN_DOUBT", resp, err)
		}
		d.ledger.fails(nil, nil)
		drained(t, d)
		if said := log.String(); !strings.Contains(said, "a panic (string) at:") || strings.Contains(said, "planted") {
			t.Errorf("the log should say where it panicked, and not what was thrown:\n%s", said)
		}
		if counted.Load() < 2 {
			t.Errorf("%d panics were counted, of a claim and of a result", counted.Load())
		}
	})
}
