package carrier

import (
	"context"
	"net"
	"net/http"
	"slices"
	"time"
)

// NewWithDial makes a Client whose connections come from dial.
func NewWithDial(config Config, dial func(ctx context.Context, network, address string) (net.Conn, error)) (*Client, error) {
	return newClient(config, dial)
}

// SubmissionRows is how many rows the table of submissions has.
func SubmissionRows() int { return len(submissions) }

// AllRows leaves no row out.
const AllRows = -1

// Judge classifies an answer by the table of submissions, without one of its rows unless that is AllRows.
func Judge(status int, contentType, retryAfter string, body []byte, without int) (Class, Outcome) {
	table := submissions
	if without != AllRows {
		table = slices.Delete(slices.Clone(submissions), without, without+1)
	}
	now := func() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }
	return classify(table, meet(answerOf(status, contentType, retryAfter, body)), clock{now: now, longest: time.Minute})
}

// answerOf is an answer that was read whole; status 0 is one that never began because nothing was written.
func answerOf(status int, contentType, retryAfter string, body []byte) answer {
	if status == 0 {
		return answer{unwritten: true, failure: failureDial}
	}
	return answer{
		status:     status,
		body:       body,
		size:       int64(len(body)),
		mediaType:  showableType(contentType),
		untyped:    contentType == "",
		retryAfter: retryAfter,
	}
}

// RetryAfter reads a Retry-After header.
func RetryAfter(header string, now time.Time, longest time.Duration) time.Duration {
	return clock{now: func() time.Time { return now }, longest: longest}.retryAfter(header)
}

// Clean is clean.
func Clean(text string, limit int) string { return clean(text, limit) }

// ReadStatus reads a body as StatusByTicket and StatusByNumber do.
func ReadStatus(body []byte) (Status, error) { return readWith(readStatus, body) }

// TransportOf is the transport that a Client talks through, without the credentials.
func TransportOf(c *Client) http.RoundTripper { return c.next }

// OnceBody returns what reads a body once, and what ends that.
func OnceBody(body []byte) (read func(p []byte) (int, error), end func()) {
	b := newOnceBody(body)
	return b.Read, b.end
}
