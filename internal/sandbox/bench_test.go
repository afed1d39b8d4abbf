package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when the clock of every bench stands at the start.
var noon = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// bench is a carrier behind a real server, with a client of it.
type bench struct {
	*Carrier
	t      *testing.T
	url    string
	client *http.Client
}

func newBench(t *testing.T, config Config) *bench {
	t.Helper()
	config.Now = func() time.Time { return noon }
	carrier, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(carrier)
	// A connection each: a client repeats a GET by itself when a reused one is cut.
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(func() {
		_ = carrier.Close()
		transport.CloseIdleConnections()
		server.Close()
	})
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &bench{Carrier: carrier, t: t, url: server.URL, client: client}
}

// got is what a client saw of one request.
type got struct {
	status int
	header http.Header
	body   []byte
	err    error // of the request or of reading the body
}

// do sends a request with the right credentials.
func (b *bench) do(ctx context.Context, method, path string, body []byte) got {
	b.t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, b.url+path, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	request.SetBasicAuth("sandbox", "sandbox")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return b.send(request)
}

func (b *bench) send(request *http.Request) got {
	response, err := b.client.Do(request)
	if err != nil {
		return got{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return got{response.StatusCode, response.Header, body, err}
}

func (b *bench) get(path string) got {
	b.t.Helper()
	return b.do(b.t.Context(), http.MethodGet, path, nil)
}

// control sends a request to a control path and decodes the answer into value,
// which may be nil.
func (b *bench) control(method, path, body string, value any) got {
	b.t.Helper()
	var text []byte
	if body != "" {
		text = []byte(body)
	}
	answer := b.do(b.t.Context(), method, path, text)
	if value != nil {
		if err := json.Unmarshal(answer.body, value); err != nil {
			b.t.Fatalf("%s %s answered %d %q: %v", method, path, answer.status, answer.body, err)
		}
	}
	return answer
}

// order posts a body to an order operation.
func (b *bench) order(path string, body object) got {
	b.t.Helper()
	return b.do(b.t.Context(), http.MethodPost, BasePath+path, encode(b.t, body))
}

const didPath = "/v2/NumberPorts/Inbound/DIDs"

// did is a legal order for DIDs of the trunk of Toronto.
func did(numbers ...int64) object {
	dids := make([]any, len(numbers))
	for i, n := range numbers {
		dids[i] = map[string]any{"Number": n}
	}
	return object{
		"DIDs":        dids,
		"PilotNumber": 4165550100,
		"PortForm": map[string]any{
			"CurrentProvider":       1,
			"CustomerAccountNumber": "ACC-1",
			"CustomerCity":          "Toronto",
			"CustomerCountry":       "CA",
			"CustomerName":          "Example Ltd",
			"CustomerPostalCode":    "M5V 2T6",
			"CustomerProvince":      "ON",
			"CustomerStreetName":    "Front",
			"CustomerStreetNumber":  "1",
			"EmailAddress":          "porting@example.com",
			"NumbersToPort":         numbers,
		},
	}
}

// named gives an order another CustomerName.
func named(body object, name string) object {
	body.object("PortForm")["CustomerName"] = name
	return body
}

func encode(t testing.TB, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// ticketReply is a TicketResponse as a careful client reads it.
type ticketReply struct {
	Reply      *int
	TicketMask *string
	Message    string
}

func (g got) reply(t *testing.T) ticketReply {
	t.Helper()
	var reply ticketReply
	g.decode(t, &reply)
	return reply
}

// mask is the TicketMask of an order that was accepted.
func (g got) mask(t *testing.T) string {
	t.Helper()
	reply := g.reply(t)
	if reply.Reply == nil || *reply.Reply != 1 || reply.TicketMask == nil {
		t.Fatalf("not accepted: %s", g.body)
	}
	return *reply.TicketMask
}

func (g got) decode(t *testing.T, value any) {
	t.Helper()
	if g.err != nil || g.status != http.StatusOK {
		t.Fatalf("status %d, error %v, body %s", g.status, g.err, g.body)
	}
	if err := json.Unmarshal(g.body, value); err != nil {
		t.Fatalf("%v in %s", err, g.body)
	}
}

// exceptionMessage is the Message of an Exception.
func (g got) exceptionMessage(t *testing.T) string {
	t.Helper()
	var e struct{ ID, Message string }
	if err := json.Unmarshal(g.body, &e); g.err != nil || err != nil || e.ID == "" || e.Message == "" {
		t.Fatalf("status %d, error %v, no Exception: %s", g.status, g.err, g.body)
	}
	return e.Message
}

// status asks for a status by number.
func (b *bench) statusOf(number string) got {
	b.t.Helper()
	return b.get(BasePath + "/v2/NumberPorts/Inbound/Numbers/" + number + "/PortInStatus")
}

func (b *bench) statusOfTicket(id string) got {
	b.t.Helper()
	return b.get(BasePath + "/v2/NumberPorts/Inbound/Tickets/" + id + "/PortInStatus")
}
