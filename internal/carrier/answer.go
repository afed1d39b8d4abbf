package carrier

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"
)

// answer is what an exchange met, before anybody has judged it.
type answer struct {
	// unwritten is true only if it is certain that no byte of the request left.
	unwritten bool
	// status is the HTTP status; 0 when no answer began.
	status int
	// body is the whole body, not nil even if it is empty; nil unless all of it was read.
	body []byte
	// size is how many bytes of the body were read.
	size int64
	// mediaType is the Content-Type without its parameters, fit to be shown; empty when there was none or a strange one.
	mediaType string
	// untyped is true when there was no Content-Type at all.
	untyped    bool
	retryAfter string
	// failure says why there is no body, or no answer; empty when there is a body.
	failure failure
	// cause is for the log; it quotes nothing of the carrier's.
	cause error
}

// readAnswer reads a response up to limit bytes.
func readAnswer(resp *http.Response, limit int64) answer {
	a := answer{
		status:     resp.StatusCode,
		mediaType:  showableType(resp.Header.Get("Content-Type")),
		untyped:    resp.Header.Get("Content-Type") == "",
		retryAfter: resp.Header.Get("Retry-After"),
	}
	switch encoding := resp.Header.Get("Content-Encoding"); {
	case a.status < http.StatusOK:
		// The body of 101 Switching Protocols is the bare connection, whose reads know no time-out.
		a.failure = failureForeign
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		a.failure = failureEncoded
	case resp.ContentLength > limit:
		a.failure = failureTooLarge
	default:
		var err error
		a.body, a.size, err = readBody(resp.Body, resp.ContentLength, limit)
		switch {
		case err != nil:
			a.failure, a.cause = failureOf(err), causeOf(err, false)
		case a.size > limit:
			a.failure = failureTooLarge
		}
	}
	return a
}

// readBody reads a body whole, or returns nil with how far it got. It stops one byte above the limit, and its memory
// never exceeds twice the limit: announced is a length to begin with, not one to believe.
func readBody(from io.Reader, announced, limit int64) (body []byte, size int64, err error) {
	const firstRead = 32 << 10
	body = make([]byte, 0, min(max(announced, firstRead)+1, limit+1))
	for {
		var n int
		n, err = from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch size = int64(len(body)); {
		case size > limit:
			return nil, size, nil
		case errors.Is(err, io.EOF):
			return body, size, nil
		case err != nil:
			return nil, size, err
		case len(body) == cap(body):
			body = append(make([]byte, 0, min(2*size, limit+1)), body...)
		}
	}
}

// isJSON reports whether there is a body that its Content-Type, if it has one, calls JSON.
func (a answer) isJSON() bool {
	return a.body != nil && (a.untyped || a.mediaType == "application/json" || a.mediaType == "text/json")
}

// evidence says what was met in words that hold no personal data.
func (a answer) evidence() string {
	written := "the request was written"
	if a.unwritten {
		written = "nothing was written"
	}
	if a.status == 0 {
		return fmt.Sprintf("%s, %s", written, a.failure)
	}
	kind := a.mediaType
	if kind == "" {
		kind = "no known type"
	}
	met := fmt.Sprintf("HTTP %d, %d bytes of %s", a.status, a.size, kind)
	if a.failure != "" {
		met += fmt.Sprintf(", %s", a.failure)
	}
	return met
}

var mediaTypePattern = regexp.MustCompile(`^[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,60}$`)

// showableType is the media type of a Content-Type, or nothing if it is not an ordinary one.
func showableType(contentType string) string {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) || !mediaTypePattern.MatchString(mediaType) {
		return ""
	}
	return mediaType
}
