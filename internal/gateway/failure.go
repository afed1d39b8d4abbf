package gateway

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"
)

const (
	// maxMessage is how many bytes the message of an error may have.
	maxMessage = 1 << 10
	// maxErrorBody is how many bytes an error may have as JSON.
	maxErrorBody = 8 << 10
)

// answerError is the mux's error handler: it answers what came back from the service. Errors of the mux itself come
// here too; their texts are replaced, since they may quote the request.
func (g *gateway) answerError(
	ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error,
) {
	if badPath := (*runtime.HTTPStatusError)(nil); errors.As(err, &badPath) {
		g.refuse(w, r, malformed("the path has a broken escape"))
		return
	}
	setRequestID(ctx, w)
	st := toldToCaller(routeFrom(ctx), status.Convert(err))
	writeError(w, st)
}

// answerNoRoute is the mux's handler for requests that no route takes.
func (g *gateway) answerNoRoute(
	_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, _ int,
) {
	if allow := g.routes.methodsOf(r.URL.EscapedPath()); len(allow) > 0 {
		g.refuse(w, r, wrongMethod(allow))
		return
	}
	g.refuse(w, r, noRoute())
}

// refuse answers a request that goes no further, and logs it: nothing behind the gateway will. The path is not logged,
// for it may hold a telephone number.
func (g *gateway) refuse(w http.ResponseWriter, r *http.Request, refused *refusal) {
	template := ""
	if route := routeFrom(r.Context()); route != nil {
		template = route.template
	}
	g.log.LogAttrs(r.Context(), slog.LevelInfo, "request refused", append(identitiesOf(w, r),
		slog.String("http_method", cut(r.Method, 16)),
		slog.String("http_route", template),
		slog.Int("http_status", httpStatus(refused.status)),
		slog.String("reason", errorInfo(refused.status).GetReason()),
		slog.String("message", refused.status.Message()))...)
	if len(refused.allow) > 0 {
		w.Header().Set("Allow", strings.Join(refused.allow, ", "))
	}
	writeError(w, refused.status)
}

// toldToCaller is an error of the service as the caller of a route may read it: its field paths are the caller's, its
// message is bounded, and an error that is not the service's own is told in our words.
func toldToCaller(r *route, st *status.Status) *status.Status {
	if errorInfo(st) == nil {
		return foreign(st)
	}
	told := st.Proto()
	told.Message = cut(told.GetMessage(), maxMessage)
	for i, detail := range told.GetDetails() {
		bad := &errdetails.BadRequest{}
		if r == nil || !detail.MessageIs(bad) || detail.UnmarshalTo(bad) != nil {
			continue
		}
		for _, v := range bad.GetFieldViolations() {
			v.Field = r.callersPath(v.GetField())
		}
		if packed, err := anypb.New(bad); err == nil {
			told.Details[i] = packed
		}
	}
	return status.FromProto(told)
}

// writeError writes an error as JSON, with the headers that belong to it.
func writeError(w http.ResponseWriter, st *status.Status) {
	h, code := w.Header(), httpStatus(st)
	h.Del("Content-Length")
	h.Set("Content-Type", jsonType)
	if code == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="portin"`)
	}
	for _, detail := range st.Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			h.Set("Retry-After", retryAfter(retry.GetRetryDelay().AsDuration()))
		}
	}
	body := errorJSON(st.Proto())
	w.WriteHeader(code)
	// A caller that has left does not read its error.
	_, _ = w.Write(body)
}

// errorJSON is an error as JSON. One that is too large, or that holds a detail nobody can write, loses its details one
// kind after the other; the last thing left is the ErrorInfo without metadata.
func errorJSON(st *spb.Status) []byte {
	info := &errdetails.ErrorInfo{Domain: errorDomain, Reason: errorInfo(status.FromProto(st)).GetReason()}
	bare, err := anypb.New(info)
	for _, details := range [][]*anypb.Any{st.GetDetails(), {bare}, nil} {
		if err != nil && details != nil {
			continue
		}
		shown := &spb.Status{Code: st.GetCode(), Message: strings.ToValidUTF8(st.GetMessage(), "?"), Details: details}
		if body, err := protojson.Marshal(shown); err == nil && len(body) <= maxErrorBody {
			return body
		}
	}
	return []byte(`{"code":` + strconv.Itoa(int(codes.Internal)) + `}`)
}

// retryAfter is a wait in whole seconds, rounded up and at least one.
func retryAfter(wait time.Duration) string {
	return strconv.FormatInt(max(1, int64(math.Ceil(wait.Seconds()))), 10)
}

// cut shortens a text to at most n bytes, at the end of a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}
