package gateway

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// A stream of server-sent events is what the EventSource of a browser reads. It remembers the id of the last event and,
// when it has lost its connection, comes back by itself with it in the header Last-Event-ID.
const (
	lastEventIDHeader = "Last-Event-Id"
	// aliveEvent is the name of a sign of life. Events with a name are not messages: a page sees this one only if it asks.
	aliveEvent = "alive"
)

// eventHead is what stands before the data of an event.
func eventHead(b *bytes.Buffer, message proto.Message) {
	switch m := message.(type) {
	case *portinv1.WatchPortInOrdersResponse:
		if m.GetOrder() == nil {
			b.WriteString("event: " + aliveEvent + "\n")
		}
		if token := m.GetResumeToken(); token != "" && !strings.ContainsAny(token, "\r\n\x00") {
			b.WriteString("id: " + token + "\n")
		}
	case *spb.Status:
		for _, detail := range status.FromProto(m).Details() {
			if wait, ok := detail.(*errdetails.RetryInfo); ok {
				b.WriteString("retry: " + strconv.FormatInt(wait.GetRetryDelay().AsDuration().Milliseconds(), 10) + "\n")
			}
		}
	}
	b.WriteString("data: ")
}

// takeLastEventID puts the header Last-Event-ID where the service looks for it, the parameter resumeToken. It wins over the
// query: a browser comes back with the address that it began with, and with the header that says how far it has come.
func takeLastEventID(header http.Header, query url.Values) *refusal {
	ids := header[lastEventIDHeader]
	switch {
	case len(ids) == 0 || len(ids) == 1 && ids[0] == "":
		return nil
	case len(ids) > 1:
		return malformed("the header Last-Event-ID is given more than once")
	case !utf8.ValidString(ids[0]):
		return invalid("resumeToken", "is not UTF-8")
	}
	for _, parameter := range []string{"resume_token", "skip_existing", "skipExisting"} {
		query.Del(parameter)
	}
	query.Set("resumeToken", ids[0])
	return nil
}
