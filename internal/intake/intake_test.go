package intake_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protojson"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/sqlite"
	"github.com/portin/portin/internal/product"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// Keys of orders; any UUIDs do.
const (
	keyA = "0193e3a0-0000-4000-8000-00000000000a"
	keyB = "0193e3a0-0000-4000-8000-00000000000b"
)

// stubCarrier is a carrier that does what a test says and counts what it was asked.
type stubCarrier struct {
	submit   func(ctx context.Context, call carrier.Call) carrier.Outcome
	byNumber func(ctx context.Context, number int64) (carrier.Status, error)
	byTicket func(ctx context.Context, ticket string) (carrier.Status, error)

	mu    sync.Mutex
	posts []carrier.Call
	looks []int64
}

var errNone = fault.New(fault.ReasonPortInNotFound, "none")

func (c *stubCarrier) Submit(ctx context.Context, call carrier.Call) carrier.Outcome {
	c.mu.Lock()
	c.posts = append(c.posts, call)
	n := len(c.posts)
	c.mu.Unlock()
	if c.submit == nil {
		return accepted(n)
	}
	return c.submit(ctx, call)
}

func (c *stubCarrier) StatusByNumber(ctx context.Context, number int64) (carrier.Status, error) {
	c.mu.Lock()
	c.looks = append(c.looks, number)
	c.mu.Unlock()
	if c.byNumber == nil {
		return carrier.Status{}, errNone
	}
	return c.byNumber(ctx, number)
}

func (c *stubCarrier) StatusByTicket(ctx context.Context, ticket string) (carrier.Status, error) {
	if c.byTicket == nil {
		return carrier.Status{}, errNone
	}
	return c.byTicket(ctx, ticket)
}

func (c *stubCarrier) count() (posts, looks int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.posts), len(c.looks)
}

// accepted is the carrier's acceptance under the ticket T-n.
func accepted(n int) carrier.Outcome {
	return carrier.Outcome{Settlement: carrier.Accepted, Reply: carrier.ReplyAccepted, Ticket: ticket(n), HTTPStatus: 200}
}

func ticket(n int) string { return "T-" + string(rune('0'+n)) }

// stubDirectory knows everything and has no holidays.
type stubDirectory struct {
	violations []fault.Violation
	warnings   []*portinv1.Warning
}

func (d *stubDirectory) Check(context.Context, []product.Reference) ([]fault.Violation, []*portinv1.Warning) {
	return d.violations, d.warnings
}

func (d *stubDirectory) Closed(context.Context) []product.Day { return nil }

// desk is an intake with its surroundings.
type desk struct {
	door
	carrier   *stubCarrier
	directory *stubDirectory
	ledger    *flakyLedger
}

// newDesk returns an intake over a stub carrier and a ledger of its own. Options change it before it opens.
func newDesk(t *testing.T, options ...func(*desk, *intake.Params)) *desk {
	t.Helper()
	d := &desk{carrier: &stubCarrier{}, directory: &stubDirectory{}, ledger: &flakyLedger{Store: newLedger(t)}}
	params := intake.Params{
		Config: usual(), Ledger: d.ledger, Accounts: oneAccount{}, Carrier: forAll[intake.Carrier](d.carrier), Directory: forAll[intake.Directory](d.directory),
		Log: slog.New(slog.DiscardHandler),
	}
	for _, o := range options {
		o(d, &params)
	}
	d.Intake = intake.New(params)
	t.Cleanup(func() { drained(t, d) })
	return d
}

// oneAccount is a service with the one account at the carrier that everybody has.
type oneAccount struct{}

func (oneAccount) Of(string) string { return ledger.Default }

func (oneAccount) Names() []string { return []string{ledger.Default} }

// forAll is the same for every account.
func forAll[T any](it T) func(account string) T { return func(string) T { return it } }

// newLedger opens a ledger of the test's own.
func newLedger(t *testing.T) ledger.Store {
	t.Helper()
	file, err := emptyLedger()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Carrier: carrierURL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// carrierURL is the carrier of the ledgers.
const carrierURL = "https://carrier.example/rest.svc"

// emptyLedger is the file of a ledger without orders. It is made once: bringing a new file into its shape takes longer than most
// tests.
var emptyLedger = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "intake")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "ledger.db")
	s, err := sqlite.Open(context.Background(), sqlite.Config{Path: path, Carrier: carrierURL})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// usual are the settings that the service has when an operator decides nothing.
func usual() intake.Config {
	return intake.Config{
		Limits:         product.Limits{MaxNumbers: 1000, MaxFileBytes: 10 << 20, MaxDocumentBytes: 25 << 20},
		LeastRemaining: 5 * time.Second,
		AnswerBefore:   500 * time.Millisecond,
		LookTimeout:    10 * time.Second,
		MinLeadDays:    2,
		Lease:          90 * time.Second,
		LeaseMargin:    30 * time.Second,
		Doubt: intake.Doubt{
			Window: 30 * time.Minute, Spacing: 10 * time.Minute, Agreeing: 3, First: 15 * time.Second, Rest: time.Hour,
			Every: 5 * time.Second, PerSecond: 2,
		},
	}
}

// flakyLedger does something else when a test says so.
type flakyLedger struct {
	ledger.Store

	mu      sync.Mutex
	claim   func(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error)
	advance func(ctx context.Context, orderID string, s ledger.Step) (ledger.Record, error)
	// follow is for tests that call nothing at once.
	follow func(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error)
	// erase says what Erase does with an order, nil is what the ledger does; it is set before anything runs.
	erase func(orderID string) error
}

func (l *flakyLedger) Erase(ctx context.Context, orderID string, e ledger.Erasure) (ledger.Record, error) {
	if l.erase != nil {
		if err := l.erase(orderID); err != nil {
			return ledger.Record{}, err
		}
	}
	return l.Store.Erase(ctx, orderID, e)
}

func (l *flakyLedger) Follow(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	if l.follow != nil {
		return l.follow(ctx, r, e)
	}
	return l.Store.Follow(ctx, r, e)
}

var errDisk = errors.New("disk full")

// fails says what Claim and Advance do; nil is what the ledger itself does.
func (l *flakyLedger) fails(
	claim func(context.Context, ledger.Record, ledger.Entry) (ledger.Record, error),
	advance func(context.Context, string, ledger.Step) (ledger.Record, error),
) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.claim, l.advance = claim, advance
}

func (l *flakyLedger) hooks() (
	claim func(context.Context, ledger.Record, ledger.Entry) (ledger.Record, error),
	advance func(context.Context, string, ledger.Step) (ledger.Record, error),
) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.claim, l.advance
}

func (l *flakyLedger) Claim(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	if claim, _ := l.hooks(); claim != nil {
		return claim(ctx, r, e)
	}
	return l.Store.Claim(ctx, r, e)
}

func (l *flakyLedger) Advance(ctx context.Context, orderID string, s ledger.Step) (ledger.Record, error) {
	if _, advance := l.hooks(); advance != nil {
		return advance(ctx, orderID, s)
	}
	return l.Store.Advance(ctx, orderID, s)
}

// noClaim and noAdvance are what a full disk makes of them.
func noClaim(context.Context, ledger.Record, ledger.Entry) (ledger.Record, error) {
	return ledger.Record{}, errDisk
}

func noAdvance(context.Context, string, ledger.Step) (ledger.Record, error) {
	return ledger.Record{}, errDisk
}

// request is an order of two numbers under a key, legal in every rule.
func request(t *testing.T, key string, numbers ...string) *portinv1.PortInRequest {
	t.Helper()
	if len(numbers) == 0 {
		numbers = []string{"416-555-0123", "416-555-0124"}
	}
	o := &portinv1.PortInOrder{}
	text, err := os.ReadFile("testdata/order.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := protojson.Unmarshal(text, o); err != nil {
		t.Fatal(err)
	}
	for _, n := range numbers {
		o.GetTrunkDid().Dids = append(o.GetTrunkDid().Dids, &portinv1.TrunkDid_Did{Number: n})
	}
	return &portinv1.PortInRequest{Order: o, RequestId: key}
}

// withSubmit decides what a POST meets.
func withSubmit(submit func(context.Context, carrier.Call) carrier.Outcome) func(*desk, *intake.Params) {
	return func(d *desk, _ *intake.Params) { d.carrier.submit = submit }
}

// reasonOf is the reason of an error; empty for none.
func reasonOf(err error) fault.Reason {
	if err == nil {
		return ""
	}
	return fault.From(err).Reason
}

// drainless waits until no result is owed to the ledger any more, without stopping the intake.
func drainless(t *testing.T, d *desk) {
	t.Helper()
	for range time.Tick(5 * time.Millisecond) {
		if d.Unsettled() == 0 {
			return
		}
	}
}

func drained(t *testing.T, d *desk) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := d.Drain(ctx); err != nil {
		t.Fatal(err)
	}
}
