package intake_test

import (
	"context"
	"encoding/base64"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
)

// pageOf is the token of the second page of a list of three orders.
func pageOf(t testing.TB, d *desk, req *portinv1.ListPortInOrdersRequest) string {
	t.Helper()
	req.PageSize = 1
	resp, err := d.List(t.Context(), req)
	if err != nil || resp.GetNextPageToken() == "" {
		t.Fatalf("%v, %v; want a page and another one", resp, err)
	}
	return resp.GetNextPageToken()
}

// onANewLedger gives a desk a ledger that is no other one's copy.
func onANewLedger(t *testing.T) func(*desk, *intake.Params) {
	t.Helper()
	s := reopened(t, filepath.Join(t.TempDir(), "ledger.db"))
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return func(d *desk, _ *intake.Params) { d.ledger.Store = s }
}

// threeOrders are on a desk; the IDs are those of two of them.
func threeOrders(t *testing.T, options ...func(*desk, *intake.Params)) (d *desk, one, two string) {
	t.Helper()
	d = newDesk(t, options...)
	one = foreign(t, d, "somebody", keyA, "+14165550190")
	two = foreign(t, d, "somebody", keyB, "+14165550191")
	foreign(t, d, "somebody", "0193e3a0-0000-4000-8000-00000000000c", "+14165550192")
	recovers(t, d)
	return d, one, two
}

// TestAPageTokenBelongsToItsList: with other filters, of another ledger, for another kind of list or another order it would
// leave entries out, so it is refused.
func TestAPageTokenBelongsToItsList(t *testing.T) {
	t.Parallel()
	d, one, two := threeOrders(t)
	elsewhere, _, _ := threeOrders(t, onANewLedger(t))
	type request = portinv1.ListPortInOrdersRequest
	inDoubt := []portinv1.OrderState{stateInDoubt}
	token := pageOf(t, d, &request{States: inDoubt})
	from := at(time.Now().Add(-time.Hour))
	for name, req := range map[string]*request{
		"no filter":         {},
		"another state":     {States: []portinv1.OrderState{stateSending}},
		"one more state":    {States: []portinv1.OrderState{stateInDoubt, stateSending}},
		"one more filter":   {States: inDoubt, NeedsAttention: new(false)},
		"a reason":          {States: inDoubt, AttentionCodes: []portinv1.AttentionCode{portinv1.AttentionCode_ATTENTION_CODE_NO_PROGRESS}},
		"a category":        {States: inDoubt, Categories: []portinv1.Category{portinv1.Category_CATEGORY_OPEN}},
		"a number":          {States: inDoubt, Number: new("416-555-0190")},
		"a ticket":          {States: inDoubt, TicketId: new("T-1")},
		"a reference":       {States: inDoubt, CustomerReference: new("T-1")},
		"a key":             {States: inDoubt, RequestId: new(keyA)},
		"from create time":  {States: inDoubt, FromCreateTime: from},
		"before creation":   {States: inDoubt, BeforeCreateTime: from},
		"from update time":  {States: inDoubt, FromUpdateTime: from},
		"before the update": {States: inDoubt, BeforeUpdateTime: from},
	} {
		req.PageToken = token
		if _, err := d.List(t.Context(), req); reasonOf(err) != fault.ReasonPageTokenInvalid {
			t.Errorf("with %s: %v", name, err)
		}
	}
	if _, err := elsewhere.List(t.Context(), &request{States: inDoubt, PageToken: token}); reasonOf(err) != fault.ReasonPageTokenInvalid {
		t.Errorf("of another ledger: %v", err)
	}
	resp, err := d.List(t.Context(), &request{States: inDoubt, PageToken: token, PageSize: 9})
	if err != nil || len(resp.GetOrders()) != 2 || resp.GetNextPageToken() != "" {
		t.Errorf("of the same list: %v, %v; want the other two", resp, err)
	}

	events := func(d *desk, id, token string) (*portinv1.ListPortInOrderEventsResponse, error) {
		return d.Events(t.Context(), &portinv1.ListPortInOrderEventsRequest{OrderId: id, PageToken: token, PageSize: 1})
	}
	first, err := events(d, one, "")
	if err != nil {
		t.Fatal(err)
	}
	if second, err := events(d, strings.ToUpper(one), first.GetNextPageToken()); err != nil || len(second.GetEvents()) != 1 || second.GetNextPageToken() != "" {
		t.Errorf("of the same order: %v, %v", second, err)
	}
	for name, err := range map[string]error{
		"a list's token for events":  second(events(d, one, token)),
		"another order's token":      second(events(d, two, first.GetNextPageToken())),
		"another ledger's token":     second(events(elsewhere, one, first.GetNextPageToken())),
		"the token of events":        second(d.List(t.Context(), &request{PageToken: first.GetNextPageToken()})),
		"a token of something else":  second(events(d, one, "AAAA")),
		"a token with an equal sign": second(events(d, one, first.GetNextPageToken()+"=")),
	} {
		if reasonOf(err) != fault.ReasonPageTokenInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// second is an answer's error.
func second[T any](_ T, err error) error { return err }

// TestAPageTokenOutlivesItsProcess: it belongs to the ledger.
func TestAPageTokenOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	on := func(d *desk, p *intake.Params) {
		d.ledger = &flakyLedger{Store: reopened(t, path)}
		p.Ledger = d.ledger
	}
	d := newDesk(t, on)
	foreign(t, d, "somebody", keyA, "+14165550190")
	foreign(t, d, "somebody", keyB, "+14165550191")
	token := pageOf(t, d, &portinv1.ListPortInOrdersRequest{})
	if err := d.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	d = newDesk(t, on)
	t.Cleanup(func() { _ = d.ledger.Close() })
	if resp, err := d.List(t.Context(), &portinv1.ListPortInOrdersRequest{PageToken: token}); err != nil || len(resp.GetOrders()) != 1 {
		t.Errorf("after a restart: %v, %v", resp, err)
	}
}

// TestAPageGoesOnWhereTheLastOneEnded although orders come and change meanwhile.
func TestAPageGoesOnWhereTheLastOneEnded(t *testing.T) {
	t.Parallel()
	d := newDesk(t, withSubmit(lost))
	var ids []string
	for i, number := range []string{"416-555-0190", "416-555-0191", "416-555-0192"} {
		ids = append(ids, placed(t, d, []string{keyA, keyB, "0193e3a0-0000-4000-8000-00000000000c"}[i], number).GetOrderId())
	}
	req := &portinv1.ListPortInOrdersRequest{PageSize: 1}
	var got []string
	for i := range 3 {
		resp, err := d.List(t.Context(), req)
		if err != nil || len(resp.GetOrders()) != 1 {
			t.Fatalf("%v, %v", resp, err)
		}
		got = append(got, resp.GetOrders()[0].GetOrderId())
		req.PageToken = resp.GetNextPageToken()
		placed(t, d, "0193e3a0-0000-4000-8000-0000000001"+string("abc"[i])+"0", "416-555-018"+string("123"[i]))
		ofTicket(d, carrier.Status{}, errNone)
		if _, err := d.Resolve(t.Context(), wasPlaced(ids[i], ticket(i+1), true)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{ids[2], ids[1], ids[0]}, got); diff != "" || req.PageToken != "" {
		t.Errorf("the pages (-want +got):\n%s", diff)
	}
}

// bookmark is a ledger that always has the same page, and notes from where it was asked for.
type bookmark struct {
	ledger.Store
	page   []ledger.Record
	events []ledger.Event
	from   ledger.Position
	after  int64
}

func (*bookmark) ID() string { return "0193e3a0-0000-7000-8000-0000000000ff" }

func (b *bookmark) List(_ context.Context, q ledger.Query) (page []ledger.Record, more bool, err error) {
	b.from = q.After
	return b.page, len(b.page) > 0, nil
}

func (b *bookmark) Events(_ context.Context, _, _ string, _ bool, after int64, _ int) ([]ledger.Event, error) {
	b.after = after
	return b.events, nil
}

// FuzzPageToken: whatever a caller sends is a token of the list or is refused as one that is not, and every place comes back
// from its token as it was.
func FuzzPageToken(f *testing.F) {
	f.Add("", int64(0), []byte("0123456789abcdef"), int64(0))
	f.Add("AAAA", int64(-1), make([]byte, 16), int64(-1))
	f.Add(base64.RawURLEncoding.EncodeToString(append([]byte{1}, make([]byte, 40)...)), int64(math.MaxInt64), []byte("fedcba9876543210"), int64(math.MaxInt64))
	f.Add(base64.RawURLEncoding.EncodeToString(append([]byte{1}, make([]byte, 24)...)), int64(math.MinInt64), []byte("fedcba9876543210"), int64(math.MinInt64))
	f.Add("\xff\n=", int64(1772442000000000), []byte("0000000000000000"), int64(1))
	f.Fuzz(func(t *testing.T, text string, created int64, id []byte, sequence int64) {
		b := &bookmark{}
		in := born(b, &stubCarrier{}, nil)
		list := func(token string) (string, error) {
			resp, err := in.List(t.Context(), &portinv1.ListPortInOrdersRequest{PageToken: token})
			return resp.GetNextPageToken(), err
		}
		events := func(token string) (string, error) {
			resp, err := in.Events(t.Context(), &portinv1.ListPortInOrderEventsRequest{OrderId: keyA, PageToken: token, PageSize: 1})
			return resp.GetNextPageToken(), err
		}
		invalid := func(token string, err error) {
			if reasonOf(err) != fault.ReasonPageTokenInvalid {
				t.Errorf("%q is answered %v; want PAGE_TOKEN_INVALID", token, err)
			}
		}
		for _, ask := range []func(string) (string, error){list, events} {
			if _, err := ask(text); err != nil || text == "" {
				if text == "" && err == nil {
					continue
				}
				invalid(text, err)
			}
		}
		who, err := uuid.FromBytes(id)
		if err != nil {
			return
		}
		b.page = []ledger.Record{{OrderID: who.String(), Created: time.UnixMicro(created).UTC()}}
		b.events = []ledger.Event{{Sequence: sequence}, {}}
		ofOrders, err := list("")
		if err != nil {
			t.Fatal(err)
		}
		ofEvents, err := events("")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := list(ofOrders); err != nil || !cmp.Equal(ledger.Position{Created: b.page[0].Created, OrderID: who.String()}, b.from) {
			t.Errorf("the place %v comes back as %v, %v", b.page[0], b.from, err)
		}
		if _, err := events(ofEvents); err != nil || b.after != sequence {
			t.Errorf("the place %d comes back as %d, %v", sequence, b.after, err)
		}
		_, err = list(ofEvents)
		invalid(ofEvents, err)
		_, err = events(ofOrders)
		invalid(ofOrders, err)
		for _, token := range []string{ofOrders[1:], ofOrders[:len(ofOrders)-1], ofOrders + "A", "B" + ofOrders[1:], ofOrders + text} {
			if token != ofOrders && strings.TrimRight(token, "\r\n") != ofOrders {
				_, err := list(token)
				invalid(token, err)
			}
		}
	})
}
