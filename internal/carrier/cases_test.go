package carrier_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
)

// meeting is something that the POST of an order can meet, and what has to come of it. The suite is run against the
// table alone, against the table without each of its rows, and over HTTP.
type meeting struct {
	name       string
	status     int    // 0 is nothing written
	mediaType  string // "-" is none at all
	retryAfter string
	body       string

	class   carrier.Class
	settled carrier.Settlement
	reply   carrier.Reply
	ticket  string
	message string
	errorID string
	// The caller's error.
	reason fault.Reason
	says   string
	wait   time.Duration
}

const (
	typeJSON      = "application/json; charset=utf-8"
	sorry         = `{"ID":"E-1","Message":"Unknown PlanID"}`
	plainAccepted = `{"Reply":1,"TicketMask":"T-1","Message":"Thank you"}`
	htmlPage      = "<!DOCTYPE html><html><body>Bad gateway for Jane Doe</body></html>"
)

func inDoubt(name string, status int, body string) meeting {
	return meeting{name: name, status: status, body: body, class: carrier.ClassInDoubt, settled: carrier.InDoubt}
}

func accepted(name, body string, reply carrier.Reply, ticket string) meeting {
	m := meeting{
		name: name, status: http.StatusOK, body: body, class: carrier.ClassAccepted, settled: carrier.Accepted,
		reply: reply, ticket: ticket,
	}
	if reply != carrier.ReplyAccepted || ticket == "" {
		m.class = carrier.ClassAttention
	}
	if body == plainAccepted {
		m.message = "Thank you"
	}
	return m
}

func refused(name, body string, reply carrier.Reply, message, says string) meeting {
	return meeting{
		name: name, status: http.StatusOK, body: body, class: carrier.ClassRefused, settled: carrier.Refused,
		reply: reply, message: message, reason: fault.ReasonCarrierRefused, says: says,
	}
}

func excepted(name string, status int, class carrier.Class, reason fault.Reason) meeting {
	return meeting{
		name: name, status: status, body: sorry, class: class, settled: carrier.Refused, message: "Unknown PlanID",
		errorID: "E-1", reason: reason, says: "Unknown PlanID",
	}
}

func credentials(name string, status int, body, errorID string) meeting {
	return meeting{
		name: name, status: status, body: body, class: carrier.ClassCredentials, settled: carrier.NotSent, errorID: errorID,
		reason: fault.ReasonCarrierCredentials,
	}
}

func busy(name, retryAfter, body, errorID string, wait time.Duration) meeting {
	return meeting{
		name: name, status: http.StatusTooManyRequests, retryAfter: retryAfter, body: body, errorID: errorID, wait: wait,
		class: carrier.ClassBusy, settled: carrier.NotSent, reason: fault.ReasonCarrierBusy,
	}
}

// meetings are the suite.
func meetings() []meeting {
	all := []meeting{
		{
			name: "nothing written", class: carrier.ClassNotWritten, settled: carrier.NotSent,
			reason: fault.ReasonCarrierUnreachable, wait: 5 * time.Second,
		},

		credentials("401 empty", http.StatusUnauthorized, "", ""),
		credentials("401 Exception", http.StatusUnauthorized, sorry, "E-1"),
		credentials("401 TicketResponse", http.StatusUnauthorized, plainAccepted, ""),
		credentials("403 HTML", http.StatusForbidden, htmlPage, ""),

		busy("429 silent", "", "", "", 30*time.Second),
		busy("429 Exception", "7", sorry, "E-1", 7*time.Second),
		busy("429 HTML", "7", htmlPage, "", 7*time.Second),
		busy("429 absurd", "99999999999999999999", "", "", time.Minute),

		accepted("Reply 1", plainAccepted, carrier.ReplyAccepted, "T-1"),
		accepted("Reply 1 with news", `{"New":{"a":[1]},"TicketMask":"T-2","Reply":1}`, carrier.ReplyAccepted, "T-2"),
		accepted("Reply 1, Message null", `{"Reply":1,"TicketMask":"T-1","Message":null}`, carrier.ReplyAccepted, "T-1"),
		accepted("Reply 1, no TicketMask", `{"Reply":1}`, carrier.ReplyAccepted, ""),
		accepted("Reply 1, TicketMask null", `{"Reply":1,"TicketMask":null}`, carrier.ReplyAccepted, ""),
		accepted("Reply 1, TicketMask empty", `{"Reply":1,"TicketMask":""}`, carrier.ReplyAccepted, ""),
		accepted("Reply 2", `{"Reply":2,"TicketMask":"T-1"}`, carrier.ReplyDeferred, "T-1"),
		accepted("Reply 2, no TicketMask", `{"Reply":2}`, carrier.ReplyDeferred, ""),
		accepted("Reply 3", `{"Reply":3,"TicketMask":"T-1"}`, carrier.ReplyConditional, "T-1"),

		refused("Reply 0", `{"Reply":0,"TicketMask":"","Message":"No such plan"}`, carrier.ReplyRejected, "No such plan", "No such plan"),
		refused("Reply 0, mute", `{"Reply":0,"TicketMask":""}`, carrier.ReplyRejected, "", "the carrier refused the order and gave no reason"),
		refused("Reply 4", `{"Reply":4,"Message":"Oops"}`, carrier.ReplyError, "Oops", "Oops"),

		excepted("400 Exception", http.StatusBadRequest, carrier.ClassInvalid, fault.ReasonCarrierInvalid),
		excepted("404 Exception", http.StatusNotFound, carrier.ClassTurnedAway, fault.ReasonCarrierRefused),
		excepted("409 Exception", http.StatusConflict, carrier.ClassTurnedAway, fault.ReasonCarrierRefused),
		excepted("422 Exception", http.StatusUnprocessableEntity, carrier.ClassTurnedAway, fault.ReasonCarrierRefused),
		excepted("499 Exception", 499, carrier.ClassTurnedAway, fault.ReasonCarrierRefused),
	}
	mute := excepted("400 Exception, mute", http.StatusBadRequest, carrier.ClassInvalid, fault.ReasonCarrierInvalid)
	mute.body, mute.message, mute.says = `{"ID":"E-1","Message":""}`, "", "the carrier found the order wrong and did not say why"
	return append(append(all, mute), doubtful()...)
}

// doubtful are the answers that nobody may take for one.
func doubtful() []meeting {
	all := []meeting{
		inDoubt("201 TicketResponse", http.StatusCreated, plainAccepted),
		inDoubt("202 TicketResponse", http.StatusAccepted, plainAccepted),
		inDoubt("204", http.StatusNoContent, ""),
		inDoubt("301", http.StatusMovedPermanently, plainAccepted),
		inDoubt("307", http.StatusTemporaryRedirect, ""),
		inDoubt("308", http.StatusPermanentRedirect, ""),
		inDoubt("400 empty", http.StatusBadRequest, ""),
		inDoubt("400 HTML", http.StatusBadRequest, htmlPage),
		inDoubt("400 TicketResponse", http.StatusBadRequest, plainAccepted),
		inDoubt("400 other JSON", http.StatusBadRequest, `{"message":"Unknown PlanID","id":"E-1"}`),
		inDoubt("400 ID a number", http.StatusBadRequest, `{"ID":1,"Message":"Unknown PlanID"}`),
		inDoubt("400 ID empty", http.StatusBadRequest, `{"ID":"","Message":"Unknown PlanID"}`),
		inDoubt("400 ID null", http.StatusBadRequest, `{"ID":null,"Message":"Unknown PlanID"}`),
		inDoubt("400 no Message", http.StatusBadRequest, `{"ID":"E-1"}`),
		inDoubt("400 Message null", http.StatusBadRequest, `{"ID":"E-1","Message":null}`),
		inDoubt("404 HTML", http.StatusNotFound, htmlPage),
		inDoubt("422 cut", http.StatusUnprocessableEntity, sorry[:20]),
		inDoubt("500 empty", http.StatusInternalServerError, ""),
		inDoubt("502 HTML", http.StatusBadGateway, htmlPage),
		inDoubt("504 TicketResponse", http.StatusGatewayTimeout, plainAccepted),
	}
	for _, status := range []int{500, 501, 502, 503, 504, 599} {
		m := inDoubt(fmt.Sprintf("%d Exception", status), status, sorry)
		m.message, m.errorID = "Unknown PlanID", "E-1"
		all = append(all, m)
	}
	for name, body := range map[string]string{
		"empty":                 "",
		"white space":           " \n",
		"HTML":                  htmlPage,
		"null":                  "null",
		"a number":              "1",
		"an array":              "[" + plainAccepted + "]",
		"a string":              `"` + strings.ReplaceAll(plainAccepted, `"`, `\"`) + `"`,
		"an empty object":       "{}",
		"other JSON":            `{"status":"ok","code":1}`,
		"Exception":             sorry,
		"cut":                   plainAccepted[:len(plainAccepted)-1],
		"garbage after":         plainAccepted + "}",
		"two values":            plainAccepted + plainAccepted,
		"a byte order mark":     "\ufeff" + plainAccepted,
		"UTF-16":                "\xff\xfe{\x00}\x00",
		"not UTF-8":             `{"Reply":1,"TicketMask":"T-1","Message":"caf` + "\xe9" + `"}`,
		"no Reply":              `{"TicketMask":"T-1"}`,
		"Reply null":            `{"Reply":null,"TicketMask":"T-1"}`,
		"Reply a string":        `{"Reply":"1","TicketMask":"T-1"}`,
		"Reply true":            `{"Reply":true,"TicketMask":"T-1"}`,
		"Reply 1.0":             `{"Reply":1.0,"TicketMask":"T-1"}`,
		"Reply 1e0":             `{"Reply":1e0,"TicketMask":"T-1"}`,
		"Reply -0":              `{"Reply":-0,"TicketMask":"T-1"}`,
		"Reply -1":              `{"Reply":-1,"TicketMask":"T-1"}`,
		"Reply 5":               `{"Reply":5,"TicketMask":"T-1"}`,
		"Reply 4294967297":      `{"Reply":4294967297,"TicketMask":"T-1"}`,
		"reply in small":        `{"reply":1,"TicketMask":"T-1"}`,
		"Reply twice":           `{"Reply":1,"TicketMask":"T-1","Reply":1}`,
		"Reply twice, escaped":  `{"Reply":1,"TicketMask":"T-1","Re\u0070ly":0}`,
		"TicketMask twice":      `{"Reply":1,"TicketMask":"T-1","TicketMask":"T-2"}`,
		"TicketMask a number":   `{"Reply":1,"TicketMask":17}`,
		"TicketMask an object":  `{"Reply":1,"TicketMask":{}}`,
		"TicketMask too long":   `{"Reply":1,"TicketMask":"` + strings.Repeat("x", 257) + `"}`,
		"TicketMask two lines":  `{"Reply":1,"TicketMask":"T\r\nSet-Cookie: a=b"}`,
		"TicketMask with a NUL": `{"Reply":1,"TicketMask":"T\u0000"}`,
		"Message a number":      `{"Reply":1,"TicketMask":"T-1","Message":1}`,
		"Message an array":      `{"Reply":0,"Message":["No"]}`,
		"too deep":              strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000),
	} {
		all = append(all, inDoubt("200 "+name, http.StatusOK, body))
	}
	for _, mediaType := range []string{"text/html", "text/plain", "application/xml", "application/jsonp"} {
		m := inDoubt("200 TicketResponse as "+mediaType, http.StatusOK, plainAccepted)
		m.mediaType = mediaType
		all = append(all, m)
	}
	return all
}

// header is the Content-Type that the meeting is served with.
func (m meeting) header() string {
	switch {
	case m.mediaType != "":
		return m.mediaType
	case strings.HasPrefix(m.body, "<"):
		return "text/html; charset=utf-8"
	}
	return typeJSON
}
