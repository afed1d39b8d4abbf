package sandbox

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// serveAPI answers one request below BasePath. Whatever comes of it, the request
// is noted first.
func (c *Carrier) serveAPI(w http.ResponseWriter, r *http.Request, path string) {
	op, params, allowed := c.spec.match(r.Method, path)
	s := &stage{carrier: c, w: w, r: r}
	account, authentic := c.authentic(r)
	entry := c.arrived(r, op, account)

	if authentic && op != nil && op.order != nil {
		c.serveOrder(s, entry, op)
		return
	}
	body, err := readBody(r)
	switch {
	case errors.Is(err, errTooLarge):
		c.settle(entry, body, OutcomeTooLarge)
		s.truly = c.exception(http.StatusRequestEntityTooLarge, err.Error())
	case err != nil:
		s.abort() // the client left, or sent no HTTP
	case !authentic:
		if op != nil && op.order != nil {
			value, _ := decode(body) // counted as far as it can be read
			c.countNumbers(entry, value)
		}
		c.settle(entry, body, OutcomeUnauthorized)
		s.truly = c.exception(http.StatusUnauthorized, "The credentials are wrong")
		s.truly.header.Set("WWW-Authenticate", `Basic realm="uControl"`)
	case op == nil && len(allowed) == 0:
		c.settle(entry, body, OutcomeUnrouted)
		s.truly = c.exception(http.StatusNotFound, "There is no such operation")
	case op == nil:
		c.settle(entry, body, OutcomeUnrouted)
		s.truly = c.exception(http.StatusMethodNotAllowed, "The operation has another method")
		s.truly.header.Set("Allow", strings.Join(allowed, ", "))
	default:
		c.serveLookup(s, entry, op, question{account: account, params: params}, body)
		return
	}
	whole(s)
}

// serveLookup answers a question, truly or as FailLookups has it.
func (c *Carrier) serveLookup(s *stage, entry *Received, op *operation, q question, body []byte) {
	if op.request != nil {
		value, refusal := checkBody(s.r, op, body)
		if refusal != nil {
			s.truly = c.refuse(entry, body, refusal)
			whole(s)
			return
		}
		q.value = value
	}
	s.truly = op.lookup(c, q)
	outcome, fails := c.takeFailing(op)
	if !fails {
		c.settle(entry, body, OutcomeAnswered)
		whole(s)
		return
	}
	c.settle(entry, body, outcome.Name)
	outcome.play(s)
}

// checkBody holds the body of a question against its schema.
func checkBody(r *http.Request, op *operation, body []byte) (any, error) {
	if err := checkContentType(r); err != nil {
		return nil, err
	}
	value, err := decode(body)
	if err != nil {
		return nil, err
	}
	return value, op.request.check("", value)
}

// errMediaType is the refusal that is not a 400.
var errMediaType = errors.New("the Content-Type is not application/json in UTF-8")

// checkContentType takes JSON that is declared as such: the carrier reads other
// media types as something else.
func checkContentType(r *http.Request) error {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	if err != nil || kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return errMediaType
	}
	return nil
}

// refuse settles a request whose body is refused and answers it.
func (c *Carrier) refuse(entry *Received, body []byte, refusal error) answer {
	c.settleRefused(entry, body, refusal)
	if errors.Is(refusal, errMediaType) {
		return c.exception(http.StatusUnsupportedMediaType, refusal.Error())
	}
	return c.exception(http.StatusBadRequest, refusal.Error())
}

var errTooLarge = errors.New("the body is larger than 40 MiB")

// readBody reads the whole body. Of one that is too large it reads on for a
// while, so that the client gets to see the answer.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) <= maxBody {
		return body, nil
	}
	_, _ = io.CopyN(io.Discard, r.Body, maxDiscarded)
	return nil, errTooLarge
}
