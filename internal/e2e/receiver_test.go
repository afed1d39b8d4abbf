package e2e_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// hooked is a message that a receiver got.
type hooked struct {
	id    string
	event *portinv1.PortInOrderEvent
	// signed are the secrets of the receiver by which it is signed, of those that the receiver knew.
	signed []string
}

// receiver is a caller's own server. It takes what is signed with a secret that it knows, checked with the reference library.
type receiver struct {
	*httptest.Server

	endpointID string

	mu      sync.Mutex
	secrets []string
	got     []hooked
	// answers are the statuses of the next answers, or silence; then it is 204.
	answers []int
	// elsewhere is where an answer points to.
	elsewhere string
	strange   []string
}

// silence has a receiver give no answer, for as long as it is waited for.
const silence = 0

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(r)
	t.Cleanup(func() {
		r.Close()
		if strange := r.strange; len(strange) > 0 {
			t.Errorf("the receiver got what is no message of an endpoint: %q", strange)
		}
	})
	return r
}

// ServeHTTP takes a message.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var content struct {
		Type      string
		Timestamp time.Time
		Data      json.RawMessage
	}
	event := &portinv1.PortInOrderEvent{}
	if err == nil {
		err = json.Unmarshal(body, &content)
	}
	if err == nil {
		err = protojson.Unmarshal(content.Data, event)
	}
	if err == nil && (content.Type == "" || !content.Timestamp.Equal(event.GetEventTime().AsTime())) {
		err = errors.New("the envelope is not that of the event")
	}
	code := r.take(req.Header, body, event, err)
	if code == silence {
		<-req.Context().Done()
		return
	}
	w.Header().Set("Location", r.elsewhere)
	w.WriteHeader(code)
}

// take keeps a message, unless it could not be read or has no signature, and returns the status of its answer.
func (r *receiver) take(header http.Header, body []byte, event *portinv1.PortInOrderEvent, unread error) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := hooked{id: header.Get("Webhook-Id"), event: event}
	for _, secret := range r.secrets {
		oracle, err := standardwebhooks.NewWebhook(secret)
		if err == nil && oracle.Verify(body, header) == nil {
			m.signed = append(m.signed, secret)
		}
	}
	if unread != nil || len(m.signed) == 0 {
		r.strange = append(r.strange, string(body))
		return http.StatusBadRequest
	}
	r.got = append(r.got, m)
	if len(r.answers) == 0 {
		return http.StatusNoContent
	}
	code := r.answers[0]
	r.answers = r.answers[1:]
	return code
}

// answer says what the receiver answers next.
func (r *receiver) answer(codes ...int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = codes
}

// knows tells the receiver the secrets of its endpoint.
func (r *receiver) knows(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = secrets
}

// messages are those that the receiver got so far.
func (r *receiver) messages() []hooked {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// register makes an endpoint of the receiver. The receiver knows nothing before, and a message that comes so soon is strange:
// an endpoint is made before the orders that it is told of.
func (r *receiver) register(t *testing.T, at *client, over face) {
	t.Helper()
	made := invoke[portinv1.CreateWebhookEndpointResponse](t, at, over, portinv1.WebhookService_CreateWebhookEndpoint_FullMethodName,
		&portinv1.CreateWebhookEndpointRequest{Endpoint: &portinv1.WebhookEndpoint{Url: new(r.URL + "/hooks?key=canary")}},
		http.MethodPost, "/v1/webhook-endpoints", &portinv1.WebhookEndpoint{Url: new(r.URL + "/hooks?key=canary")})
	r.knows(made.GetSecret())
	r.endpointID = made.GetEndpoint().GetEndpointId()
}

// wantAll waits until the receiver has as many events as these, and wants each of them as it is in the ledger, those of one
// order in their sequence, and one id for each, however often it came.
func (r *receiver) wantAll(t *testing.T, want []*portinv1.PortInOrderEvent) {
	t.Helper()
	missing := len(want)
	if !within(t, 2*patience, func() bool { // a process that was killed holds its deliveries for most of a minute
		came := map[int64]bool{}
		for _, m := range r.messages() {
			came[m.event.GetSequence()] = true
		}
		missing = 0
		for _, e := range want {
			if !came[e.GetSequence()] {
				missing++
			}
		}
		return missing == 0
	}) {
		t.Errorf("%d events of %d did not come", missing, len(want))
	}
	latest, seen := map[string]int64{}, map[string]bool{}
	var got []*portinv1.PortInOrderEvent
	for _, m := range r.messages() {
		if seen[m.id] {
			continue // once more
		}
		seen[m.id] = true
		if before := latest[m.event.GetOrderId()]; m.event.GetSequence() <= before {
			t.Errorf("event %d of order %s came after %d", m.event.GetSequence(), m.event.GetOrderId(), before)
		}
		latest[m.event.GetOrderId()] = m.event.GetSequence()
		got = append(got, m.event)
	}
	slices.SortFunc(got, func(a, b *portinv1.PortInOrderEvent) int { return int(a.GetSequence() - b.GetSequence()) })
	if diff := cmp.Diff(want, got[:min(len(got), len(want))], protocmp.Transform()); diff != "" {
		t.Errorf("what the receiver got (-ledger +receiver):\n%s", diff)
	}
}

// invoke makes a call that has to succeed over a face: the RPC with its request, or the HTTP method with its path and body.
func invoke[M any, P interface {
	*M
	proto.Message
}](t *testing.T, at *client, over face, rpc string, req proto.Message, method, path string, body proto.Message) P {
	t.Helper()
	if over == overGRPC {
		m := P(new(M))
		if err := at.conn.Invoke(t.Context(), rpc, req, m); err != nil {
			t.Fatalf("%s: %v", rpc, err)
		}
		return m
	}
	var text []byte
	if body != nil {
		text = marshalled(t, body)
	}
	a := at.do(t, method, "http://"+at.HTTPAddress+path, text)
	if a.status != http.StatusOK {
		t.Fatalf("%s %s: HTTP %d: %s", method, path, a.status, a.body)
	}
	return message[M, P](t, a)
}
