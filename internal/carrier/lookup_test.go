package carrier_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
)

// script answers with one meeting after another, and the last one for ever.
func script(calls *atomic.Int32, answers ...meeting) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		m := answers[min(int(calls.Add(1)), len(answers))-1]
		if m.retryAfter != "" {
			w.Header().Set("Retry-After", m.retryAfter)
		}
		if m.body == "cut" {
			w.Header().Set("Content-Length", "1000")
		}
		answering(m.status, m.header(), m.body)(w, r)
	}
}

func TestFault09_LookUpsAreTriedAFewTimes(t *testing.T) {
	t.Parallel()
	good := meeting{status: 200, body: "7"}
	for name, c := range map[string]struct {
		answers []meeting
		tries   int32
		reason  fault.Reason // empty: it works
	}{
		"at once":                  {[]meeting{good}, 1, ""},
		"500 then well":            {[]meeting{{status: 500, body: sorry}, good}, 2, ""},
		"502, 503 then well":       {[]meeting{{status: 502, body: htmlPage}, {status: 503}, good}, 3, ""},
		"504 for ever":             {[]meeting{{status: 504}}, 3, fault.ReasonCarrierUnreadable},
		"cut then well":            {[]meeting{{status: 200, body: "cut"}, good}, 2, ""},
		"busy for a second":        {[]meeting{{status: 429, retryAfter: "1"}, good}, 2, ""},
		"busy for long":            {[]meeting{{status: 429, retryAfter: "3"}, good}, 1, fault.ReasonCarrierBusy},
		"busy, silent":             {[]meeting{{status: 429}, good}, 1, fault.ReasonCarrierBusy},
		"busy for ever":            {[]meeting{{status: 429, retryAfter: "1"}}, 3, fault.ReasonCarrierBusy},
		"401":                      {[]meeting{{status: 401, body: sorry}, good}, 1, fault.ReasonCarrierCredentials},
		"403":                      {[]meeting{{status: 403, body: htmlPage}, good}, 1, fault.ReasonCarrierCredentials},
		"400":                      {[]meeting{{status: 400, body: sorry}, good}, 1, fault.ReasonCarrierUnreadable},
		"404 of something else":    {[]meeting{{status: 404, body: sorry}, good}, 1, fault.ReasonCarrierUnreadable},
		"redirect":                 {[]meeting{{status: 302, body: "7"}, good}, 1, fault.ReasonCarrierUnreadable},
		"201":                      {[]meeting{{status: 201, body: "7"}, good}, 1, fault.ReasonCarrierUnreadable},
		"a page":                   {[]meeting{{status: 200, body: htmlPage}, good}, 1, fault.ReasonCarrierUnreadable},
		"a page that is a number":  {[]meeting{{status: 200, body: "7", mediaType: "text/html"}, good}, 1, fault.ReasonCarrierUnreadable},
		"JSON of something else":   {[]meeting{{status: 200, body: "{}"}, good}, 1, fault.ReasonCarrierUnreadable},
		"a number and more":        {[]meeting{{status: 200, body: "7 8"}, good}, 1, fault.ReasonCarrierUnreadable},
		"a number that is too big": {[]meeting{{status: 200, body: "99999999999999999999"}, good}, 1, fault.ReasonCarrierUnreadable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int32
				client, posts := servePipes(t, settings(""), script(&calls, c.answers...))
				account, err := client.Account(t.Context())
				if c.reason == "" && (err != nil || account != 7) || c.reason != "" && !fault.Is(err, c.reason) {
					t.Errorf("account %d, error %v, want %q", account, err, c.reason)
				}
				if calls.Load() != c.tries {
					t.Errorf("%d tries, want %d", calls.Load(), c.tries)
				}
				posted(t, posts, 0)
			})
		})
	}
}

func TestFault09_TriesAreSpreadAndBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		config := settings("")
		config.GetTries = 1000
		c, _ := servePipes(t, config, script(&calls, meeting{status: 500}))
		spread := map[time.Duration]bool{}
		for range 5 {
			begun := time.Now()
			if _, err := c.Account(t.Context()); !fault.Is(err, fault.ReasonCarrierUnreadable) {
				t.Errorf("error %v", err)
			}
			took := time.Since(begun)
			if took > 25*time.Second {
				t.Errorf("took %v", took)
			}
			spread[took] = true
		}
		if len(spread) < 2 {
			t.Error("every look-up waited for exactly as long")
		}
	})
}

func TestALookUpEndsWithTheCallersContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := servePipes(t, settings(""), func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begun := time.Now()
		if _, err := c.Trunks(ctx); !fault.Is(err, fault.ReasonDeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		if _, err := c.Trunks(ctx); !fault.Is(err, fault.ReasonCancelled) {
			t.Errorf("error %v", err)
		}
		// Three tries of ten seconds do not fit into the total.
		begun = time.Now()
		if _, err := c.Trunks(t.Context()); !fault.Is(err, fault.ReasonCarrierUnreadable) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(begun); took != 25*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestFault03_LookUpsSayThatTheCarrierIsUnreachable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		c, err := carrier.NewWithDial(settings("http://localhost"), func(context.Context, string, string) (net.Conn, error) {
			dials++
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect 10.1.2.3: refused")}
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Holidays(t.Context())
		if !fault.Is(err, fault.ReasonCarrierUnreachable) || dials != 3 {
			t.Errorf("error %v after %d dials", err, dials)
		}
		if strings.Contains(err.Error(), "10.1.2.3") {
			t.Errorf("the error shows an address: %v", err)
		}
		if cause := fault.From(err).Unwrap(); cause == nil || !strings.Contains(cause.Error(), "10.1.2.3") {
			t.Errorf("the log does not get to know the address: %v", cause)
		}
	})
}

func TestOnlyTheConfiguredFormMeansNone(t *testing.T) {
	t.Parallel()
	const blank = `{"Status":"","ValidationLSC":false}`
	forms := map[string]meeting{
		"404 Exception":   {status: 404, body: sorry},
		"404 page":        {status: 404, body: htmlPage},
		"404 empty":       {status: 404},
		"200 empty":       {status: 200},
		"200 null":        {status: 200, body: " null\n"},
		"200 null page":   {status: 200, body: "null", mediaType: "text/html"},
		"200 blank":       {status: 200, body: blank},
		"200 blank, told": {status: 200, body: `{"Status":"","TicketId":"T-1","ValidationLSC":false}`},
		"200 {}":          {status: 200, body: "{}"},
		"200 []":          {status: 200, body: "[]"},
		"204":             {status: 204},
		"400 Exception":   {status: 400, body: sorry},
		"410 Exception":   {status: 410, body: sorry},
	}
	counts := map[carrier.NoPortIn][]string{
		carrier.NoPortInException: {"404 Exception"},
		carrier.NoPortInAny404:    {"404 Exception", "404 empty", "404 page"},
		carrier.NoPortInEmpty:     {"200 empty"},
		carrier.NoPortInNull:      {"200 null"},
		carrier.NoPortInBlank:     {"200 blank"},
	}
	for _, way := range carrier.NoPortIns() {
		for name, form := range forms {
			t.Run(string(way)+"/"+name, func(t *testing.T) {
				t.Parallel()
				var calls atomic.Int32
				url, _ := serve(t, script(&calls, form))
				config := settings(url)
				config.NoPortIn = way
				want := fault.ReasonCarrierUnreadable
				for _, none := range counts[way] {
					if none == name {
						want = fault.ReasonPortInNotFound
					}
				}
				status, err := client(t, config).StatusByNumber(t.Context(), 4165550123)
				if !fault.Is(err, want) || !cmp.Equal(status, carrier.Status{}) {
					t.Errorf("status %+v, error %v, want %s", status, err, want)
				}
				if calls.Load() != 1 {
					t.Errorf("%d tries", calls.Load())
				}
			})
		}
	}
}

func TestLookUpsAreObserved(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	var seen []string
	url, _ := serve(t, script(&calls, meeting{status: 500}, meeting{status: 404, body: sorry}, meeting{status: 200, body: "[]"}))
	config := settings(url)
	config.Observe = func(_ context.Context, o carrier.Observation) {
		seen = append(seen, o.Operation+" "+string(o.Class))
		if o.Duration <= 0 || o.HTTPStatus == 0 {
			t.Errorf("observation %+v", o)
		}
	}
	c := client(t, config)
	_, _ = c.StatusByTicket(t.Context(), "T-1")
	_, _ = c.Trunks(t.Context())
	want := []string{"PortInStatusByTicket unreadable", "PortInStatusByTicket none", "SipTrunks answered"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("observed (-want +got):\n%s", diff)
	}
}
