package intake_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// word is a status of the first ticket, with the usual numbers.
func word(word string, disputed bool) carrier.Status {
	s := status("T-1", word, firstNumber, secondNumber)
	s.Disputing = &disputed
	return s
}

// says has the carrier answer by ticket.
func says(d *desk, all ...carrier.Status) {
	d.carrier.byTicket = func(_ context.Context, ticket string) (carrier.Status, error) {
		for _, s := range all {
			if s.Ticket == ticket {
				return s, nil
			}
		}
		return carrier.Status{}, errNone
	}
}

// authorized are the documents of a corrected order.
func authorized() []*portinv1.Document {
	return []*portinv1.Document{{FileName: "loa-2.pdf", MimeType: "application/pdf", Content: []byte("%PDF-1.7\n")}}
}

// correction corrects the account number of an order and gives what is needed again.
func correction(id, key string) *portinv1.ResubmitPortInRequest {
	return &portinv1.ResubmitPortInRequest{
		OrderId: id, RequestId: key, DroppedDocuments: []string{"form.last_invoices"},
		Order: &portinv1.PortInOrder{Form: &portinv1.PortForm{CustomerAccountNumber: "BC-204418", LettersOfAuthorization: authorized()}},
	}
}

func TestARejectedOrderIsCorrected(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	old := placed(t, d, keyA)
	says(d, word("REJECTED", false))
	resp, err := d.Resubmit(t.Context(), correction(old.GetOrderId(), keyB))
	if err != nil {
		t.Fatal(err)
	}
	o := resp.GetOrder()
	if resp.GetReplayed() || o.GetState() != stateAccepted || o.GetTicketId() != "T-2" || o.GetCorrectsOrderId() != old.GetOrderId() ||
		o.GetHistoryId() != old.GetOrderId() || o.GetCorrectedByOrderId() != "" || o.GetOrderId() == old.GetOrderId() {
		t.Errorf("the new order is %v", o)
	}
	want := request(t, keyB).GetOrder().GetForm()
	f := o.GetForm()
	if f.GetCustomerAccountNumber() != "BC-204418" || f.GetCustomerName() != want.GetCustomerName() || len(f.GetLastInvoices()) != 0 ||
		len(f.GetLettersOfAuthorization()) != 1 || f.GetLettersOfAuthorization()[0].GetFileName() != "loa-2.pdf" {
		t.Errorf("the form of the new order is %v", f)
	}
	if diff := cmp.Diff(old.GetNumbers(), o.GetNumbers()); diff != "" {
		t.Errorf("numbers (-old +new):\n%s", diff)
	}
	var codes []portinv1.WarningCode
	for _, w := range o.GetWarnings() {
		codes = append(codes, w.GetCode())
	}
	if !slices.Contains(codes, portinv1.WarningCode_WARNING_CODE_EARLIER_ORDER_STANDS) || slices.Contains(codes, portinv1.WarningCode_WARNING_CODE_EARLIER_TICKET) {
		t.Errorf("the warnings are %v", codes)
	}
	was := stands(t, d, old.GetOrderId())
	if was.GetCorrectedByOrderId() != o.GetOrderId() || was.GetHistoryId() != was.GetOrderId() || was.GetCarrierStatusWord() != "REJECTED" || was.GetState() != stateAccepted {
		t.Errorf("the old order is %v", was)
	}

	history, err := d.Events(t.Context(), &portinv1.ListPortInOrderEventsRequest{OrderId: o.GetOrderId(), WholeHistory: true, PageSize: 100})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range history.GetEvents() {
		of := "new "
		if e.GetOrderId() == old.GetOrderId() {
			of = "old "
		}
		told = append(told, of+strings.TrimPrefix(e.GetType().String(), "PORT_IN_ORDER_EVENT_TYPE_"))
		corrects, correctedBy := "", ""
		switch {
		case of == "new ":
			corrects = old.GetOrderId()
		case e.GetType() == portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_RESUBMITTED:
			correctedBy = o.GetOrderId()
		}
		if e.GetCorrectsOrderId() != corrects || e.GetCorrectedByOrderId() != correctedBy {
			t.Errorf("%s: corrects %q and is corrected by %q, want %q and %q", told[len(told)-1], e.GetCorrectsOrderId(), e.GetCorrectedByOrderId(), corrects, correctedBy)
		}
	}
	if diff := cmp.Diff([]string{
		"old CLAIMED", "old STATE_CHANGED", "old STATUS_CHANGED", "old ATTENTION_CHANGED", "old RESUBMITTED", "new CLAIMED", "new STATE_CHANGED",
	}, told); diff != "" {
		t.Errorf("the history (-want +got):\n%s", diff)
	}
	list, err := d.List(t.Context(), &portinv1.ListPortInOrdersRequest{HistoryId: new(strings.ToUpper(old.GetOrderId()))})
	if err != nil || len(list.GetOrders()) != 2 {
		t.Errorf("the list of the history has %d orders, %v", len(list.GetOrders()), err)
	}

	again, err := d.Resubmit(t.Context(), correction(old.GetOrderId(), keyB))
	if err != nil || !again.GetReplayed() || again.GetOrder().GetOrderId() != o.GetOrderId() {
		t.Errorf("the same once more: %v, %v", again, err)
	}
	if posts, _ := d.carrier.count(); posts != 2 {
		t.Errorf("%d POSTs; want 2", posts)
	}
	if sent := string(d.carrier.posts[1].Body); !strings.Contains(sent, "BC-204418") || strings.Contains(sent, "BC-204417") {
		t.Error("the second POST does not have the correction")
	}
}

// TestWhatCanBeCorrected has an order stand everywhere, and somebody correct it.
func TestWhatCanBeCorrected(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meets func(context.Context, carrier.Call) carrier.Outcome
		now   carrier.Status
		err   error
		want  fault.Reason
		says  string
	}{
		"pending":              {now: word("PENDING", false), want: fault.ReasonNotCorrectable, says: `"PENDING"`},
		"confirmed":            {now: word("CONFIRMED", false), want: fault.ReasonNotCorrectable, says: `"CONFIRMED"`},
		"a word nobody knows":  {now: word("TELEPORTED", false), want: fault.ReasonNotCorrectable, says: `"TELEPORTED"`},
		"rejected":             {now: word("REJECTED", false)},
		"rejected, disputed":   {now: word("REJECTED", true), want: fault.ReasonNotCorrectable, says: "disputes"},
		"nobody says if so":    {now: status("T-1", "REJECTED", firstNumber, secondNumber), want: fault.ReasonNotCorrectable, says: "does not say whether its porting team disputes"},
		"cancelled":            {now: word("CANCELLED", false)},
		"ported":               {now: word("COMPLETED", false)},
		"refused":              {meets: refusing},
		"not sent":             {meets: unsent, want: fault.ReasonNotCorrectable, says: "was not sent"},
		"in doubt":             {meets: lost, want: fault.ReasonNotCorrectable, says: "IN_DOUBT"},
		"the carrier is down":  {err: fault.New(fault.ReasonCarrierUnreachable, "down").WithRetryAfter(7e9), want: fault.ReasonCarrierUnreachable, says: "nothing was sent"},
		"another one's ticket": {now: status("T-1", "REJECTED", 4165550999), want: fault.ReasonNotCorrectable, says: "does not say"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.carrier.submit = c.meets
			_, _ = d.PortIn(t.Context(), request(t, keyA))
			old, err := d.ledger.FindKey(t.Context(), intakeTenant, keyA)
			if err != nil {
				t.Fatal(err)
			}
			d.carrier.submit = nil
			d.carrier.byTicket = func(context.Context, string) (carrier.Status, error) { return c.now, c.err }
			for _, validateOnly := range []bool{true, false} {
				req := correction(old.OrderID, keyB)
				req.ValidateOnly = validateOnly
				resp, err := d.Resubmit(t.Context(), req)
				if reasonOf(err) != c.want || (err != nil && !strings.Contains(err.Error(), c.says)) {
					t.Fatalf("validate only %v: %v; want %q with %q", validateOnly, err, c.want, c.says)
				}
				if err == nil && (resp.GetOrder().GetState() == stateAccepted) == validateOnly {
					t.Errorf("validate only %v: the order is %v", validateOnly, resp.GetOrder().GetState())
				}
			}
			want := 1
			if c.want == "" {
				want = 2
			}
			if posts, _ := d.carrier.count(); posts != want {
				t.Errorf("%d POSTs; want %d", posts, want)
			}
			now := stands(t, d, old.OrderID)
			if (now.GetCorrectedByOrderId() != "") != (c.want == "") {
				t.Errorf("the old order is corrected by %q", now.GetCorrectedByOrderId())
			}
		})
	}
}

const intakeTenant = ledger.Default

func TestOneCorrectionOfAnOrderWins(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	old := placed(t, d, keyA)
	says(d, word("REJECTED", false))
	const callers = 8
	var group sync.WaitGroup
	answers := make(chan error, callers)
	for i := range callers {
		group.Go(func() {
			_, err := d.Resubmit(t.Context(), correction(old.GetOrderId(), keyOf(i)))
			answers <- err
		})
	}
	group.Wait()
	close(answers)
	won := 0
	by := stands(t, d, old.GetOrderId()).GetCorrectedByOrderId()
	for err := range answers {
		f := &fault.Error{}
		switch {
		case err == nil:
			won++
		case !errors.As(err, &f) || f.Reason != fault.ReasonNotCorrectable || f.Metadata["corrected_by_order_id"] != by:
			t.Errorf("a caller who came late is told %v", err)
		}
	}
	if posts, _ := d.carrier.count(); won != 1 || posts != 2 {
		t.Errorf("%d corrections won, with %d POSTs", won, posts)
	}
}

// TestACorrectionThatWasNotSentIsSentAgain asks about the old order once more, whose place it has already.
func TestACorrectionThatWasNotSentIsSentAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	old := placed(t, d, keyA)
	says(d, word("REJECTED", false))
	d.carrier.submit = unsent
	if _, err := d.Resubmit(t.Context(), correction(old.GetOrderId(), keyB)); reasonOf(err) != fault.ReasonCarrierUnreachable {
		t.Fatal(err)
	}
	d.carrier.submit = nil
	resp, err := d.Resubmit(t.Context(), correction(old.GetOrderId(), keyB))
	if err != nil || resp.GetOrder().GetState() != stateAccepted || resp.GetOrder().GetAttempt() != 2 || resp.GetOrder().GetCorrectsOrderId() != old.GetOrderId() {
		t.Errorf("sent again: %v, %v", resp, err)
	}
	if diff := cmp.Diff([]string{"EARLIER_ORDER_STANDS"}, earlier(resp.GetOrder())); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// TestAKeyStandsForOneCorrection uses a key again for something else.
func TestAKeyStandsForOneCorrection(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, other := placed(t, d, keyA), placed(t, d, keyOf(7), "416-555-0188")
	says(d, word("REJECTED", false), status("T-2", "REJECTED", 4165550188))
	if _, err := d.Resubmit(t.Context(), correction(first.GetOrderId(), keyB)); err != nil {
		t.Fatal(err)
	}
	changed := correction(first.GetOrderId(), keyB)
	changed.Order.Form.CustomerAccountNumber = "BC-1"
	plain := request(t, keyB)
	plain.Order.Form.CustomerAccountNumber, plain.Order.Form.LettersOfAuthorization, plain.Order.Form.LastInvoices = "BC-204418", authorized(), nil
	for name, err := range map[string]error{
		"other corrections": errOf(d.Resubmit(t.Context(), changed)),
		"another order":     errOf(d.Resubmit(t.Context(), correction(other.GetOrderId(), keyB))),
		"no correction":     errOf(d.PortIn(t.Context(), plain)),
		"the old key":       errOf(d.Resubmit(t.Context(), correction(first.GetOrderId(), keyA))),
	} {
		if reasonOf(err) != fault.ReasonRequestIDReused {
			t.Errorf("%s: %v", name, err)
		}
	}
	if posts, _ := d.carrier.count(); posts != 3 {
		t.Errorf("%d POSTs; want 3", posts)
	}
}

func errOf[T any](_ T, err error) error { return err }

func TestResubmitSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	old := placed(t, d, keyA)
	says(d, word("REJECTED", false))
	for name, c := range map[string]struct {
		change func(r *portinv1.ResubmitPortInRequest)
		want   []string
	}{
		"no key":                  {func(r *portinv1.ResubmitPortInRequest) { r.RequestId = "" }, []string{"request_id"}},
		"documents are not given": {func(r *portinv1.ResubmitPortInRequest) { r.Order, r.DroppedDocuments = nil, nil }, []string{"order.form.letters_of_authorization", "order.form.last_invoices"}},
		"dropped and given": {func(r *portinv1.ResubmitPortInRequest) {
			r.DroppedDocuments = append(r.DroppedDocuments, "form.letters_of_authorization")
		}, []string{"dropped_documents[1]"}},
		"dropped and never there": {func(r *portinv1.ResubmitPortInRequest) {
			r.DroppedDocuments = append(r.DroppedDocuments, "form.blif_spreadsheets")
		}, []string{"dropped_documents[1]"}},
		"a mask that names nothing": {func(r *portinv1.ResubmitPortInRequest) { r.UpdateMask = mask("form.nothing") }, []string{"order.form.customer_account_number", "order.form.letters_of_authorization", "order.form.letters_of_authorization", "update_mask"}},
		"a mask into a list": {func(r *portinv1.ResubmitPortInRequest) {
			r.UpdateMask = mask("form", "trunk_did.dids.number")
		}, []string{"update_mask"}},
		"a mask into another target": {func(r *portinv1.ResubmitPortInRequest) {
			r.UpdateMask = mask("form", "virtual_fax.fax_email")
		}, []string{"update_mask"}},
		"an output field": {func(r *portinv1.ResubmitPortInRequest) { r.UpdateMask = mask("form", "state") }, []string{"update_mask"}},
		"documents are replaced by none": {func(r *portinv1.ResubmitPortInRequest) {
			r.UpdateMask, r.DroppedDocuments = mask("form"), nil
			r.Order.Form.LettersOfAuthorization = nil
		}, []string{"order.form.letters_of_authorization", "order.form.last_invoices"}},
		"the form is removed": {func(r *portinv1.ResubmitPortInRequest) {
			r.UpdateMask, r.Order = mask("form"), nil
		}, []string{"order.form.letters_of_authorization"}},
		"a mask of too many paths": {func(r *portinv1.ResubmitPortInRequest) {
			r.UpdateMask = mask(slices.Repeat([]string{"form"}, 201)...)
		}, []string{"update_mask"}},
		"a mask with a long path": {func(r *portinv1.ResubmitPortInRequest) {
			r.UpdateMask = mask("form", strings.Repeat("a", 201))
		}, []string{"update_mask"}},
		"set and not named": {func(r *portinv1.ResubmitPortInRequest) {
			r.UpdateMask = mask("form.letters_of_authorization")
		}, []string{"order.form.customer_account_number"}},
		"the corrected order breaks rules": {func(r *portinv1.ResubmitPortInRequest) {
			r.UpdateMask = mask("form.customer_account_number", "form.letters_of_authorization", "form.customer_name")
		}, []string{"order.form.customer_name"}},
		"no number is left": {func(r *portinv1.ResubmitPortInRequest) {
			r.UpdateMask = mask("form.customer_account_number", "form.letters_of_authorization", "trunk_did")
		}, []string{"order.target"}},
	} {
		req := correction(old.GetOrderId(), keyB)
		c.change(req)
		_, err := d.Resubmit(t.Context(), req)
		var fields []string
		for _, v := range fault.From(err).Violations {
			fields = append(fields, v.Field)
		}
		if diff := cmp.Diff(c.want, fields); diff != "" || reasonOf(err) != fault.ReasonInvalidFields {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	if _, err := d.Resubmit(t.Context(), correction(keyA, keyB)); reasonOf(err) != fault.ReasonOrderNotFound {
		t.Errorf("an order that is not there: %v", err)
	}
	if posts, _ := d.carrier.count(); posts != 1 {
		t.Errorf("%d POSTs; want 1", posts)
	}
}

// TestWhatIsNamedMayBeGivenAsNothing clears fields as JSON is written: the field is in the body, and empty, so that nothing of it is
// left in the message but what it stands in.
func TestWhatIsNamedMayBeGivenAsNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	old := placed(t, d, keyA)
	says(d, word("REJECTED", false))
	given := &portinv1.ResubmitPortInRequest{
		OrderId: old.GetOrderId(), ValidateOnly: true, DroppedDocuments: []string{"form.last_invoices", "form.letters_of_authorization"},
		Order: &portinv1.PortInOrder{Form: &portinv1.PortForm{ServiceAddress: &portinv1.ServiceAddress{}}},
	}
	given.UpdateMask = mask("form.numbers_to_remain", "form.service_address.unit")
	if _, err := d.Resubmit(t.Context(), given); err != nil {
		t.Errorf("fields that are cleared: %v", err)
	}
	given.UpdateMask = mask("form.numbers_to_remain")
	_, err := d.Resubmit(t.Context(), given)
	if v := fault.From(err).Violations; len(v) != 1 || v[0].Field != "order.form.service_address" {
		t.Errorf("an empty message of which the mask names nothing: %v, %v", err, v)
	}
}

func mask(paths ...string) *fieldmaskpb.FieldMask { return &fieldmaskpb.FieldMask{Paths: paths} }

// TestPasswordsAreGivenAgainOrUp has an order of two lines with passwords, of which nothing is kept but where they were.
func TestPasswordsAreGivenAgainOrUp(t *testing.T) {
	t.Parallel()
	line := func(number, password string) *portinv1.ResidentialLine_Line {
		l := &portinv1.ResidentialLine_Line{
			Number: number, Account: new(int64(700001)), PlanId: "PLAN-1", Locale: portinv1.Locale_LOCALE_ENGLISH_US,
			SecondLocale: portinv1.SecondLocale_SECOND_LOCALE_NONE, Enabled: new(true),
		}
		if password != "" {
			l.SipPassword = &password
		}
		return l
	}
	place := func(t *testing.T) (*desk, string) {
		t.Helper()
		d := newDesk(t)
		req := request(t, keyA)
		req.Order.Target = &portinv1.PortInOrder_ResidentialLine{ResidentialLine: &portinv1.ResidentialLine{
			Lines: []*portinv1.ResidentialLine_Line{line("416-555-0123", "s3cret-1"), line("416-555-0124", "s3cret-2")},
		}}
		resp, err := d.PortIn(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"residential_line.lines[0].sip_password", "residential_line.lines[1].sip_password"}, resp.GetOrder().GetWithheldFields()); diff != "" {
			t.Errorf("what is withheld (-want +got):\n%s", diff)
		}
		replay := request(t, keyA)
		replay.Order.Target = &portinv1.PortInOrder_ResidentialLine{ResidentialLine: &portinv1.ResidentialLine{
			Lines: []*portinv1.ResidentialLine_Line{line("416-555-0123", ""), line("416-555-0124", "another")},
		}}
		if again, err := d.PortIn(t.Context(), replay); err != nil || !again.GetReplayed() {
			t.Errorf("passwords take part in a replay: %v", err)
		}
		says(d, word("REJECTED", false))
		return d, resp.GetOrder().GetOrderId()
	}
	for name, c := range map[string]struct {
		dropped []string
		lines   []*portinv1.ResidentialLine_Line
		want    []string
	}{
		"neither":                        {want: []string{"order.residential_line.lines[0].sip_password", "order.residential_line.lines[1].sip_password"}},
		"one given up":                   {dropped: []string{"residential_line.lines[1].sip_password"}, want: []string{"order.residential_line.lines[0].sip_password"}},
		"all given up":                   {dropped: []string{"residential_line.lines.sip_password"}},
		"each given up":                  {dropped: []string{"residential_line.lines[1].sip_password", "residential_line.lines[0].sip_password"}},
		"given again":                    {lines: []*portinv1.ResidentialLine_Line{line("416-555-0123", "s3cret-3")}},
		"given and up":                   {lines: []*portinv1.ResidentialLine_Line{line("416-555-0123", "s3cret-3")}, dropped: []string{"residential_line.lines.sip_password"}, want: []string{"dropped_documents[1]"}},
		"replaced by lines without":      {lines: []*portinv1.ResidentialLine_Line{line("416-555-0123", ""), line("416-555-0124", "")}, want: []string{"order.residential_line.lines[0].sip_password", "order.residential_line.lines[1].sip_password"}},
		"given in another place":         {lines: []*portinv1.ResidentialLine_Line{line("416-555-0199", ""), line("(416) 555-0124", "s3cret-4"), line("416-555-0123", "s3cret-3")}},
		"one given and one up":           {lines: []*portinv1.ResidentialLine_Line{line("416-555-0124", ""), line("416-555-0123", "s3cret-3")}, dropped: []string{"residential_line.lines[1].sip_password"}},
		"one given in the other's place": {lines: []*portinv1.ResidentialLine_Line{line("416-555-0124", "s3cret-3"), line("416-555-0123", "")}, want: []string{"order.residential_line.lines[0].sip_password"}},
		"one line less, and named":       {lines: []*portinv1.ResidentialLine_Line{line("416-555-0123", "s3cret-3")}, dropped: []string{"residential_line.lines[1].sip_password"}},
		"up, a wrong one":                {dropped: []string{"residential_line.lines.sip_password", "residential_line.lines[2].sip_password"}, want: []string{"dropped_documents[2]"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, id := place(t)
			req := correction(id, keyB)
			req.DroppedDocuments = append(req.DroppedDocuments, c.dropped...)
			if c.lines != nil {
				req.Order.Target = &portinv1.PortInOrder_ResidentialLine{ResidentialLine: &portinv1.ResidentialLine{Lines: c.lines}}
			}
			_, err := d.Resubmit(t.Context(), req)
			var fields []string
			if err != nil {
				for _, v := range fault.From(err).Violations {
					fields = append(fields, v.Field)
				}
			}
			if diff := cmp.Diff(c.want, fields); diff != "" || (err == nil) != (c.want == nil) {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestAnOrderMovesOnWhileItIsCorrected has somebody else correct the order between the look at it and the claim.
func TestAnOrderMovesOnWhileItIsCorrected(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	old := placed(t, d, keyA)
	says(d, word("REJECTED", false))
	d.ledger.fails(func(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
		d.ledger.fails(nil, nil)
		step(t, d, old.GetOrderId(), order.ByAnswer, func(r *ledger.Record) { r.Disputing = true }) //nolint:contextcheck // it has the test's
		return d.ledger.Claim(ctx, r, e)
	}, nil)
	_, err := d.Resubmit(t.Context(), correction(old.GetOrderId(), keyB))
	if reasonOf(err) != fault.ReasonNotCorrectable || !strings.Contains(err.Error(), "disputes") {
		t.Errorf("the caller is told %v", err)
	}
	if posts, _ := d.carrier.count(); posts != 1 {
		t.Errorf("%d POSTs; want 1", posts)
	}
	if now := stands(t, d, old.GetOrderId()); now.GetCorrectedByOrderId() != "" {
		t.Errorf("the old order is %v", now)
	}
}

// TestAnOrderThatWasClosedMeanwhileStaysClosed has somebody else hear that an order is over while the carrier is asked because of a
// correction: what it answers then is older, or nobody knows.
func TestAnOrderThatWasClosedMeanwhileStaysClosed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	old := placed(t, d, keyA)
	d.carrier.byTicket = func(context.Context, string) (carrier.Status, error) {
		step(t, d, old.GetOrderId(), order.ByAnswer, func(r *ledger.Record) { r.Status = order.StatusCancelled }) //nolint:contextcheck // it has the test's
		return word("PENDING", false), nil
	}
	resp, err := d.Resubmit(t.Context(), correction(old.GetOrderId(), keyB))
	if err != nil || resp.GetOrder().GetState() != stateAccepted {
		t.Errorf("the correction: %v, %v", resp.GetOrder().GetState(), err)
	}
	if now := stands(t, d, old.GetOrderId()); now.GetCarrierStatusWord() != "CANCELLED" {
		t.Errorf("the old order is %q", now.GetCarrierStatusWord())
	}
}
