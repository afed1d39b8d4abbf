package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

const (
	tenant = ledger.Default
	// planted stands in the query of every URL, and must not be in any log.
	planted = "hunter2-L9"
	aURL    = "https://receiver.example/hooks?key=" + planted
)

// message is what a receiver got.
type message struct {
	at         time.Time
	host, id   string
	body       []byte
	header     http.Header
	Type       string
	Data       struct{ OrderID, Sequence string }
	signatures int
}

// receiver is the servers of callers. It stands in for the network.
type receiver struct {
	mu       sync.Mutex
	messages []message
	// answer is what it answers; nil is 204. It may wait until the request is given up.
	answer func(ctx context.Context, m message) (*http.Response, error)
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	m := message{at: time.Now(), host: req.URL.Hostname(), id: req.Header.Get("Webhook-Id"), body: body, header: req.Header}
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, err
	}
	m.signatures = len(strings.Fields(req.Header.Get("Webhook-Signature")))
	r.mu.Lock()
	r.messages = append(r.messages, m)
	answer := r.answer
	r.mu.Unlock()
	if answer == nil {
		return status(http.StatusNoContent), nil
	}
	return answer(req.Context(), m)
}

// answers changes what the receiver answers.
func (r *receiver) answers(answer func(context.Context, message) (*http.Response, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// always answers everything with one status.
func (r *receiver) always(code int) {
	r.answers(func(context.Context, message) (*http.Response, error) { return status(code), nil })
}

// got are the messages so far, and forgets them.
func (r *receiver) got() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.messages
	r.messages = nil
	return got
}

func status(code int) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: http.NoBody}
}

// hang answers nothing.
func hang(ctx context.Context, _ message) (*http.Response, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// counter is an observer that counts.
type counter struct {
	mu sync.Mutex
	counts
}

type counts struct {
	results            map[Result]int
	behind             int64
	disabled, panicked int
}

// now is what was counted so far.
func (c *counter) now() counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.counts
	got.results = maps.Clone(got.results)
	return got
}

func (c *counter) count(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
}

func (c *counter) Delivered(r Result, _ time.Duration) { c.count(func() { c.results[r]++ }) }
func (c *counter) Behind(n int64)                      { c.count(func() { c.behind = n }) }
func (c *counter) Disabled()                           { c.count(func() { c.disabled++ }) }
func (c *counter) Panicked()                           { c.count(func() { c.panicked++ }) }

// journal is a log that several goroutines write.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// house is webhooks with their surroundings.
type house struct {
	*Webhooks

	t        *testing.T
	ledger   *memory
	receiver *receiver
	counter  *counter
	journal  *journal
	secrets  []string
}

// newHouse builds webhooks on a ledger of their own or one that is given, with chance in the middle.
func newHouse(t *testing.T, options ...func(*Params)) *house {
	t.Helper()
	h := &house{t: t, receiver: &receiver{}, counter: &counter{counts: counts{results: map[Result]int{}}}, journal: &journal{}}
	p := Params{
		Ledger: newMemory(), Render: rendered, Observer: h.counter, Log: slog.New(slog.NewJSONHandler(h.journal, nil)),
		Chance: func() float64 { return .5 },
	}
	for _, o := range options {
		o(&p)
	}
	h.ledger, _ = p.Ledger.(*memory)
	h.Webhooks = New(p)
	h.client = newClient(h.receiver)
	t.Cleanup(func() {
		log := h.journal.String()
		for _, secret := range append(h.secrets, planted) {
			if strings.Contains(log, secret) {
				t.Errorf("the log has %q: %s", secret, log)
			}
		}
	})
	return h
}

// rendered is an event as this package's tests see it.
func rendered(e ledger.Event) *portinv1.PortInOrderEvent {
	return &portinv1.PortInOrderEvent{OrderId: e.OrderID, Sequence: e.Sequence, EventTime: timestamppb.New(e.Time), Type: typeOf(e.Type), Note: e.Note}
}

// runs has the webhooks at work until the function that it returns is called, or the test ends.
func (h *house) runs() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		h.Run(ctx)
		close(done)
	}()
	pass(time.Second) // from now on it looks for events at once: it no longer rests from a first look, which may have been or not
	return func() {
		cancel()
		<-done
	}
}

// creates an endpoint and returns its id.
func (h *house) creates(e *portinv1.WebhookEndpoint) string {
	h.t.Helper()
	if e.Url == nil {
		e.Url = new(aURL)
	}
	resp, err := h.CreateEndpoint(h.t.Context(), tenant, &portinv1.CreateWebhookEndpointRequest{Endpoint: e})
	if err != nil {
		h.t.Fatal(err)
	}
	h.secrets = append(h.secrets, resp.GetSecret(), strings.TrimPrefix(resp.GetSecret(), "whsec_"))
	return resp.GetEndpoint().GetEndpointId()
}

// endpoint is an endpoint as it now is.
func (h *house) reads(id string) *portinv1.WebhookEndpoint {
	h.t.Helper()
	e, err := h.Endpoint(h.t.Context(), tenant, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

// lists are the deliveries of an endpoint, the newest event first.
func (h *house) lists(id string) []*portinv1.WebhookDelivery {
	h.t.Helper()
	resp, err := h.Deliveries(h.t.Context(), tenant, &portinv1.ListWebhookDeliveriesRequest{EndpointId: id})
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.GetDeliveries()
}

// verified wants a message to be signed with a secret, by the reference library.
func (h *house) verified(m message, secret string) {
	h.t.Helper()
	reference, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := reference.Verify(m.body, m.header); err != nil {
		h.t.Errorf("the signature of %s: %v", m.id, err)
	}
}

// pass lets time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// happened is an event of an order.
func happened(orderID string) ledger.Event {
	return ledger.Event{
		OrderID: orderID, Tenant: tenant, Time: time.Now().UTC(), Type: ledger.EventStateChanged,
		Was: standing(order.Sending, ""), Is: standing(order.Accepted, order.StatusPending), Note: "a <note> & more",
	}
}

func standing(s order.State, status order.Status) ledger.Standing {
	return ledger.Record{State: s, Status: status}.Standing()
}

// sequences are the sequences of messages, as they came.
func sequences(list []message) (all []string) {
	for _, m := range list {
		all = append(all, m.Data.Sequence)
	}
	return all
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

func itoa(n int) string { return strconv.Itoa(n) }

// at is an endpoint with a URL and nothing else.
func at(url string) *portinv1.WebhookEndpoint { return &portinv1.WebhookEndpoint{Url: new(url)} }
