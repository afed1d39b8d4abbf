package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"
)

// playFunc sends an answer to the client in its own way, or fails to. All of them
// return when the client leaves and when the carrier is closed.
type playFunc func(*stage)

// stage is one request with the answer that it would truly get.
type stage struct {
	carrier *Carrier
	w       http.ResponseWriter
	r       *http.Request
	truly   answer
}

// whole is the true answer as it should be.
func whole(s *stage) { s.truly.send(s.w) }

// failed answers in the carrier's schema.
func failed(status int, message string) playFunc {
	return func(s *stage) { s.carrier.exception(status, message).send(s.w) }
}

// page answers as a proxy does that speaks for itself.
func page(status int) playFunc {
	return func(s *stage) { answerOf(status, typeHTML, htmlPage).send(s.w) }
}

// empty is a status without a body, as a proxy that gave up sends it.
func empty(status int) playFunc {
	return func(s *stage) { answer{status: status}.send(s.w) }
}

// throttled answers 429. retryAfter is the header, nil for none.
func throttled(retryAfter func(now time.Time) string) playFunc {
	return func(s *stage) {
		a := s.carrier.exception(http.StatusTooManyRequests, "Too many requests")
		if retryAfter != nil {
			a.header.Set("Retry-After", retryAfter(s.carrier.Now()))
		}
		a.send(s.w)
	}
}

// redirected points at the path that was asked for, so that a client which
// follows is counted there.
func redirected(status int) playFunc {
	return func(s *stage) {
		a := answerOf(status, typeHTML, htmlPage)
		a.header.Set("Location", s.r.URL.EscapedPath())
		a.send(s.w)
	}
}

// restatused is the true body under another status.
func restatused(status int) playFunc {
	return func(s *stage) {
		a := s.truly
		a.status = status
		a.send(s.w)
	}
}

// replaced is a body of 200 that has nothing to do with the question.
func replaced(body string) playFunc {
	return func(s *stage) { answerOf(http.StatusOK, typeJSON, body).send(s.w) }
}

// mangled is the true body after a change.
func mangled(contentType string, change func([]byte) []byte) playFunc {
	return func(s *stage) {
		answerOf(s.truly.status, contentType, string(change(s.truly.body))).send(s.w)
	}
}

// firstHalf is what a writer leaves that counts its bytes wrongly: the length
// that is announced fits, the JSON does not end.
func firstHalf(body []byte) []byte { return body[:len(body)/2] }

// withGarbage is legal to a reader that stops at the end of the first value.
func withGarbage(body []byte) []byte {
	return append(slices.Clip(body), "\n<!-- served by sandbox-proxy -->"...)
}

// invalidUTF8 adds a member with an é in Latin-1, which is a byte that UTF-8 has
// not. A body that is no object gets the byte behind it.
func invalidUTF8(body []byte) []byte {
	if len(body) < 3 || body[0] != '{' {
		return append(slices.Clip(body), '\xe9')
	}
	return append([]byte("{\"Note\":\"Accept\xe9\","), body[1:]...)
}

// utf16Bytes is the text as a server writes it that takes its own default.
func utf16Bytes(body []byte) []byte {
	text := []byte{0xff, 0xfe} // little endian
	for _, unit := range utf16.Encode([]rune(string(body))) {
		text = append(text, byte(unit), byte(unit>>8))
	}
	return text
}

// slow waits before the true answer.
func slow(s *stage) {
	if s.wait(s.carrier.config.Delay) {
		whole(s)
	}
}

// silence never answers.
func silence(s *stage) {
	select {
	case <-s.r.Context().Done():
	case <-s.carrier.closing.Done():
	}
	s.abort()
}

// drip sends the true answer one byte at a time.
func drip(s *stage) {
	s.truly.sendHeader(s.w)
	for i := range s.truly.body {
		if !s.write(s.truly.body[i : i+1]) {
			return
		}
		if !s.wait(s.carrier.config.DripInterval) {
			return
		}
	}
}

// hugeHeader is the true answer below a header field that fills the wire.
func hugeHeader(s *stage) {
	padding := make([]byte, s.carrier.config.HeaderBytes)
	for i := range padding {
		padding[i] = 'x'
	}
	s.w.Header().Set("X-Padding", string(padding))
	s.w.Header().Set("X-Padding-Bytes", strconv.Itoa(len(padding)))
	whole(s)
}

// wait lets time pass; it reports false, with the connection cut, when the client
// left or the carrier was closed.
func (s *stage) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.r.Context().Done():
	case <-s.carrier.closing.Done():
	}
	s.abort()
	return false
}

// write sends bytes at once; it reports false when nobody reads them any more.
func (s *stage) write(part []byte) bool {
	select {
	case <-s.carrier.closing.Done():
		s.abort()
	default:
	}
	if _, err := s.w.Write(part); err != nil {
		return false
	}
	return http.NewResponseController(s.w).Flush() == nil
}

// abort ends the request without another byte; the server closes the connection.
func (s *stage) abort() { panic(http.ErrAbortHandler) }
