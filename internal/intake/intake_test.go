package intake_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protojson"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
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
	*intake.Intake
	carrier   *stubCarrier
	directory *stubDirectory
	journal   *flakyJournal
}

// newDesk returns an intake over a stub carrier. Options change it before it opens.
func newDesk(t *testing.T, options ...func(*desk, *intake.Params)) *desk {
	t.Helper()
	d := &desk{carrier: &stubCarrier{}, directory: &stubDirectory{}, journal: &flakyJournal{Journal: intake.NewMemory(100)}}
	params := intake.Params{
		Config: usual(), Journal: d.journal, Carrier: d.carrier, Directory: d.directory,
		Log: slog.New(slog.DiscardHandler),
	}
	for _, o := range options {
		o(d, &params)
	}
	d.Intake = intake.New(params)
	return d
}

// usual are the settings that the service has when an operator decides nothing.
func usual() intake.Config {
	return intake.Config{
		Limits:         product.Limits{MaxNumbers: 1000, MaxFileBytes: 10 << 20, MaxDocumentBytes: 25 << 20},
		LeastRemaining: 5 * time.Second,
		AnswerBefore:   500 * time.Millisecond,
		LookTimeout:    10 * time.Second,
		MinLeadDays:    2,
	}
}

// flakyJournal fails when a test says so.
type flakyJournal struct {
	intake.Journal
	claimErr error
}

var errDisk = errors.New("disk full")

func (j *flakyJournal) Claim(ctx context.Context, r intake.Record, released []string) (intake.Record, error) {
	if j.claimErr != nil {
		return intake.Record{}, j.claimErr
	}
	return j.Journal.Claim(ctx, r, released)
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

func drained(t *testing.T, d *desk) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := d.Drain(ctx); err != nil {
		t.Fatal(err)
	}
}
