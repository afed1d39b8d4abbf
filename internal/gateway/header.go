package gateway

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

const (
	requestIDHeader = "X-Request-Id"
	// timeoutHeader is gRPC's own: the caller's deadline. The mux reads it.
	timeoutHeader = "Grpc-Timeout"
	jsonType      = "application/json"
)

// forwarded are the headers whose first value goes on to the service as metadata. Authorization goes on too, by the
// mux's own hand. Everything else that a caller sends ends here: cookies, forged addresses, Grpc-Metadata.
var forwarded = []string{requestIDHeader, "Traceparent", "Tracestate"}

// identify gives every request an id and every answer the headers that they all have.
func (g *gateway) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if !isRequestID(id) {
			id = newRequestID()
		}
		h := w.Header()
		h.Set(requestIDHeader, id)
		h.Set("X-Content-Type-Options", "nosniff")
		if isAPI(r.URL.Path) {
			h.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	})
}

// isRequestID reports whether a caller's x-request-id can stand in logs and headers as it is.
func isRequestID(id string) bool {
	return len(id) <= 128 && isPlain(id)
}

// newRequestID makes a random UUID.
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// headerFor is the part of a request's header that the mux may see. w already has the request's id.
func headerFor(w http.ResponseWriter, r *http.Request) (http.Header, *refusal) {
	h := http.Header{requestIDHeader: {w.Header().Get(requestIDHeader)}}
	for _, name := range forwarded[1:] {
		if v := r.Header.Get(name); v != "" {
			h[name] = []string{v}
		}
	}
	injectTrace(r.Context(), h)
	if v := r.Header["Authorization"]; len(v) > 0 {
		h["Authorization"] = v
	}
	if v := r.Header.Get(timeoutHeader); v != "" {
		if !isTimeout(v) {
			return nil, malformed("the header Grpc-Timeout is no timeout of gRPC: digits and a unit, 30S for one, and more than zero")
		}
		h[timeoutHeader] = []string{v}
	}
	return h, nil
}

// isTimeout reports whether a text is a timeout of the gRPC protocol. The mux takes "0S" for no deadline at all, so zero
// is none.
func isTimeout(text string) bool {
	if len(text) < 2 || len(text) > 9 || strings.IndexByte("HMSmun", text[len(text)-1]) < 0 {
		return false
	}
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	return err == nil && n > 0
}

// matchForwarded is the mux's filter for incoming headers.
func matchForwarded(name string) (string, bool) {
	return name, slices.Contains(forwarded, name)
}

// matchNone is the mux's filter for the service's metadata: none of it becomes a header by itself.
func matchNone(string) (string, bool) {
	return "", false
}

// setRequestID lets the id that the service worked under win over the one made here. Where the service keeps to the rule
// for ids, they are the same.
func setRequestID(ctx context.Context, w http.ResponseWriter) {
	md, _ := runtime.ServerMetadataFromContext(ctx)
	for _, values := range [][]string{md.TrailerMD.Get(requestIDHeader), md.HeaderMD.Get(requestIDHeader)} {
		if len(values) > 0 && isRequestID(values[0]) {
			w.Header().Set(requestIDHeader, values[0])
		}
	}
}

// writeHead sets what an answer's head has beside the body's type: an order whose fate is not known yet is taken, not
// done. A stream has no message when its head is written.
func writeHead(ctx context.Context, w http.ResponseWriter, message proto.Message) error {
	setRequestID(ctx, w)
	var placed *portinv1.PortInOrder
	switch answer := message.(type) {
	case *portinv1.PortInResponse:
		placed = answer.GetOrder()
	case *portinv1.ResubmitPortInResponse:
		placed = answer.GetOrder()
	}
	switch placed.GetState() {
	case portinv1.OrderState_ORDER_STATE_SENDING, portinv1.OrderState_ORDER_STATE_IN_DOUBT:
		w.WriteHeader(http.StatusAccepted)
	case portinv1.OrderState_ORDER_STATE_UNSPECIFIED, portinv1.OrderState_ORDER_STATE_NOT_SENT,
		portinv1.OrderState_ORDER_STATE_REFUSED, portinv1.OrderState_ORDER_STATE_ACCEPTED:
	}
	return nil
}
