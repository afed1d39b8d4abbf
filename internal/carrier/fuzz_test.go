package carrier_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
)

// FuzzAnswer holds the classifier against the standard library's reading of the same body: whatever the carrier sends,
// there is an outcome, and an order counts as accepted or refused only if the body really says so.
func FuzzAnswer(f *testing.F) {
	for _, m := range meetings() {
		f.Add(m.status, m.header(), m.retryAfter, []byte(m.body))
	}
	f.Fuzz(func(t *testing.T, status int, contentType, retryAfter string, body []byte) {
		if status < 0 || status > 999 {
			return
		}
		class, out := carrier.Judge(status, contentType, retryAfter, body, carrier.AllRows)
		if class == "" || out.Evidence == "" || !utf8.ValidString(out.Message) || len(out.Message) > carrier.MaxMessage {
			t.Fatalf("class %q, outcome %+v", class, out)
		}
		if (out.Fault == nil) != (out.Settlement == carrier.InDoubt || out.Settlement == carrier.Accepted) {
			t.Fatalf("fault %v for %+v", out.Fault, out)
		}
		switch out.Settlement {
		case carrier.Accepted:
			if reply := replyOf(body); status != 200 || reply < 1 || reply > 3 {
				t.Fatalf("accepted with HTTP %d and Reply %v: %q", status, reply, body)
			}
		case carrier.Refused:
			says := fields(body)
			refused := status == 200 && (replyOf(body) == 0 || replyOf(body) == 4)
			excepted := status >= 400 && status < 500 && says["ID"] != nil && says["Message"] != nil
			if !refused && !excepted {
				t.Fatalf("refused with HTTP %d: %q", status, body)
			}
		case carrier.NotSent:
			if status != 0 && status != 401 && status != 403 && status != 429 {
				t.Fatalf("not sent with HTTP %d", status)
			}
		case carrier.InDoubt:
		}
	})
}

// fields are the members of an object by their exact names; none unless the body is one whole object.
func fields(body []byte) map[string]any {
	var members map[string]any
	if json.Unmarshal(body, &members) != nil {
		return nil
	}
	return members
}

// replyOf is the Reply of a body, or -1.
func replyOf(body []byte) float64 {
	if reply, ok := fields(body)["Reply"].(float64); ok {
		return reply
	}
	return -1
}

// FuzzStatus holds that a status is never made up: what is read has a word and whole numbers, and reading does not depend
// on the white space around it.
func FuzzStatus(f *testing.F) {
	f.Add([]byte(wholeStatus))
	f.Add([]byte(`{"Status":"PENDING","ValidationLSC":false}`))
	f.Add([]byte(`{"Status":"","Status":"PENDING"}`))
	f.Add([]byte(`{"Status":"PENDING","NumbersToPort":[4165550123,1]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		status, err := carrier.ReadStatus(body)
		if err != nil {
			return
		}
		if status.Word == "" || fields(body)["Status"] == nil || len(status.Ticket) > 256 {
			t.Fatalf("%q is %+v", body, status)
		}
		for _, number := range status.Numbers {
			if number < 2_000_000_000 || number > 9_999_999_999 {
				t.Fatalf("%q has the number %d", body, number)
			}
		}
		again, err := carrier.ReadStatus(bytes.Join([][]byte{{' '}, body, {'\n'}}, nil))
		if err != nil || again.Word != status.Word || again.Ticket != status.Ticket {
			t.Fatalf("%q with white space is %+v, %v", body, again, err)
		}
	})
}

// FuzzRetryAfter holds that a wait is always whole seconds within bounds.
func FuzzRetryAfter(f *testing.F) {
	for _, header := range []string{"", "7", "-1", "99999999999999999999", "Mon, 02 Mar 2026 12:00:07 GMT"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		_, out := carrier.Judge(429, "", header, nil, carrier.AllRows)
		wait := out.Fault.RetryAfter
		if !fault.Is(out.Fault, fault.ReasonCarrierBusy) || wait < 1e9 || wait > 60e9 || wait%1e9 != 0 {
			t.Fatalf("Retry-After %q: %v", header, wait)
		}
	})
}
