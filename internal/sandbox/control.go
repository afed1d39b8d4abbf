package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// controlRoute is one control path: the handler and its line of documentation.
type controlRoute struct {
	method, path string
	says         string
	serve        func(*Carrier, *http.Request) (any, error)
}

// controlRoutes are the paths that answer in JSON. They take no credentials.
func controlRoutes() []controlRoute {
	return []controlRoute{
		{"GET", "/_sandbox/requests", "what reached the carrier, most recent last; long bodies are cut", controlRequests},
		{"GET", "/_sandbox/counts", "how many order POSTs came, by path and by number", controlCounts},
		{"GET", "/_sandbox/tickets", "every ticket, visible or not", controlTickets},
		{"POST", "/_sandbox/tickets", `an order placed elsewhere: {"numbers":[4165550123],"scenario":"hold","age":"72h"}`, controlElsewhere},
		{"PUT", "/_sandbox/tickets/{id}/status", `sets a status: {"status":"REJECTED","disputing":true,"provisional":false,"port_date":""}`, controlStatus},
		{"GET", "/_sandbox/clock", "the carrier's time", controlClock},
		{"POST", "/_sandbox/clock", `moves it on: {"advance":"48h"}`, controlAdvance},
		{"GET", "/_sandbox/next", "what the next orders will meet", controlWaiting},
		{"POST", "/_sandbox/next", `adds to it: {"outcomes":["timeout-after-body","hold"]}`, controlNext},
		{"POST", "/_sandbox/lookups", `makes look-ups fail: {"lookups":"status","count":3,"outcome":"html-502"}; lookups is status or catalogue`, controlFail},
		{"GET", "/_sandbox/unknowns", "the switches", controlUnknowns},
		{"PUT", "/_sandbox/unknowns", `sets them all: {"none":"html","visible_after":"10m"}; those not named go to their default`, controlSetUnknowns},
		{"POST", "/_sandbox/reset", "everything as it was at the start", controlReset},
	}
}

// newControl routes the control paths and the page that lists them.
func newControl(c *Carrier) http.Handler {
	mux := http.NewServeMux()
	for _, route := range controlRoutes() {
		mux.HandleFunc(route.method+" "+route.path, func(w http.ResponseWriter, r *http.Request) {
			c.respond(w, r, route)
		})
	}
	mux.HandleFunc("GET "+bodyPath, c.controlBody)
	mux.HandleFunc("GET /_sandbox/{$}", func(w http.ResponseWriter, _ *http.Request) {
		answerOf(http.StatusOK, "text/plain; charset=utf-8", c.help()).send(w)
	})
	return mux
}

// errNotFound is an error of a control path that is a 404.
var errNotFound = errors.New("sandbox: there is no such thing")

// respond answers in JSON: with the value, or 400 or 404 and {"error": "…"}.
func (c *Carrier) respond(w http.ResponseWriter, r *http.Request, route controlRoute) {
	value, err := route.serve(c, r)
	if err == nil {
		jsonAnswer(value).send(w)
		return
	}
	a := jsonAnswer(map[string]string{"error": err.Error()})
	a.status = http.StatusBadRequest
	if errors.Is(err, errNotFound) {
		a.status = http.StatusNotFound
	}
	a.send(w)
}

// readControl reads the body of a control request, of at most 1 MiB.
func readControl[T any](r *http.Request) (T, error) {
	var value T
	decoder := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		return value, fmt.Errorf("the body cannot be read: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return value, errors.New("bytes after the body's JSON value")
	}
	return value, nil
}

// listedBody is how much of a body the list of requests shows.
const listedBody = 4 << 10

// listedRequest is a Received with the beginning of its body.
type listedRequest struct {
	Received
	Body    string `json:"body"`
	BodyCut bool   `json:"body_cut,omitempty"` // bodyPath has all of it
}

func controlRequests(c *Carrier, _ *http.Request) (any, error) {
	received := c.Received()
	list := make([]listedRequest, len(received))
	for i, entry := range received {
		shown := min(len(entry.Body), listedBody)
		list[i] = listedRequest{Received: entry, Body: string(entry.Body[:shown]), BodyCut: shown < len(entry.Body)}
	}
	return list, nil
}

// bodyPath answers with the bytes of one body.
const bodyPath = "/_sandbox/requests/{seq}/body"

func (c *Carrier) controlBody(w http.ResponseWriter, r *http.Request) {
	seq, _ := strconv.Atoi(r.PathValue("seq"))
	for _, entry := range c.Received() {
		if entry.Seq == seq && !entry.BodyDropped {
			a := answerOf(http.StatusOK, "application/octet-stream", string(entry.Body))
			a.header.Set("X-Content-Type-Options", "nosniff")
			a.send(w)
			return
		}
	}
	http.NotFound(w, r)
}

func controlCounts(c *Carrier, _ *http.Request) (any, error) { return c.Counts(), nil }

func controlTickets(c *Carrier, _ *http.Request) (any, error) { return c.Tickets(), nil }

func controlElsewhere(c *Carrier, r *http.Request) (any, error) {
	e, err := readControl[Elsewhere](r)
	if err != nil {
		return nil, err
	}
	return c.PlaceElsewhere(e)
}

func controlStatus(c *Carrier, r *http.Request) (any, error) {
	change, err := readControl[StatusChange](r)
	if err != nil {
		return nil, err
	}
	return struct{}{}, c.SetStatus(r.PathValue("id"), change)
}

func controlClock(c *Carrier, _ *http.Request) (any, error) {
	return map[string]time.Time{"now": c.Now()}, nil
}

func controlAdvance(c *Carrier, r *http.Request) (any, error) {
	body, err := readControl[struct {
		Advance Duration `json:"advance"`
	}](r)
	if err != nil {
		return nil, err
	}
	c.Advance(time.Duration(body.Advance))
	return controlClock(c, r)
}

func controlWaiting(c *Carrier, _ *http.Request) (any, error) {
	return map[string][]string{"waiting": c.Waiting()}, nil
}

func controlNext(c *Carrier, r *http.Request) (any, error) {
	body, err := readControl[struct {
		Outcomes []string `json:"outcomes"`
	}](r)
	if err != nil {
		return nil, err
	}
	if err := c.Next(body.Outcomes...); err != nil {
		return nil, err
	}
	return controlWaiting(c, r)
}

func controlFail(c *Carrier, r *http.Request) (any, error) {
	body, err := readControl[struct {
		Lookups Lookups `json:"lookups"`
		Count   int     `json:"count"`
		Outcome string  `json:"outcome"`
	}](r)
	if err != nil {
		return nil, err
	}
	return struct{}{}, c.FailLookups(body.Lookups, body.Count, body.Outcome)
}

func controlUnknowns(c *Carrier, _ *http.Request) (any, error) { return c.Unknowns(), nil }

func controlSetUnknowns(c *Carrier, r *http.Request) (any, error) {
	u, err := readControl[Unknowns](r)
	if err != nil {
		return nil, err
	}
	if err := c.SetUnknowns(u); err != nil {
		return nil, err
	}
	return c.Unknowns(), nil
}

func controlReset(c *Carrier, _ *http.Request) (any, error) {
	c.Reset()
	return struct{}{}, nil
}
