package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
)

// answer is a whole HTTP answer, before an outcome spoils it.
type answer struct {
	status int
	header http.Header
	body   []byte
}

const (
	typeJSON = "application/json; charset=utf-8"
	typeHTML = "text/html; charset=utf-8"
)

// htmlPage is what a proxy puts in the carrier's place.
const htmlPage = "<!DOCTYPE html>\n<html><head><title>Sandbox proxy</title></head><body><h1>Something is wrong</h1></body></html>\n"

// answerOf is an answer of one media type.
func answerOf(status int, contentType, body string) answer {
	return answer{status: status, header: http.Header{"Content-Type": {contentType}}, body: []byte(body)}
}

// jsonAnswer is 200 with a value of the sandbox's own types.
func jsonAnswer(value any) answer {
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("sandbox: an answer cannot be written as JSON: %v", err))
	}
	return answerOf(http.StatusOK, typeJSON, string(text))
}

// exception is a status of 4xx or 5xx in the carrier's schema. Its ID is new each
// time, as a key into an error log is.
func (c *Carrier) exception(status int, message string) answer {
	a := jsonAnswer(struct{ ID, Message string }{
		ID:      fmt.Sprintf("SANDBOX-E-%06d", c.exceptions.Add(1)),
		Message: message,
	})
	a.status = status
	return a
}

// send writes the answer whole. A client that has gone is its own affair.
func (a answer) send(w http.ResponseWriter) {
	a.sendHeader(w)
	_, _ = w.Write(a.body)
}

// sendHeader announces the body's length, so that a body cut short is seen.
func (a answer) sendHeader(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	if a.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
}
