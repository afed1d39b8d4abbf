package gateway

import (
	"net/http"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/portin/portin/internal/fault"
)

// statusClientLeft is what an answer to nobody is called in logs; it is no status of the standard.
const statusClientLeft = 499

// httpStatuses holds the HTTP status of every gRPC code.
var httpStatuses = [...]int{
	codes.OK:                 http.StatusOK,
	codes.Canceled:           statusClientLeft,
	codes.Unknown:            http.StatusInternalServerError,
	codes.InvalidArgument:    http.StatusBadRequest,
	codes.DeadlineExceeded:   http.StatusGatewayTimeout,
	codes.NotFound:           http.StatusNotFound,
	codes.AlreadyExists:      http.StatusConflict,
	codes.PermissionDenied:   http.StatusForbidden,
	codes.ResourceExhausted:  http.StatusTooManyRequests,
	codes.FailedPrecondition: http.StatusUnprocessableEntity,
	codes.Aborted:            http.StatusConflict,
	codes.OutOfRange:         http.StatusBadRequest,
	codes.Unimplemented:      http.StatusNotImplemented,
	codes.Internal:           http.StatusInternalServerError,
	codes.Unavailable:        http.StatusServiceUnavailable,
	codes.DataLoss:           http.StatusInternalServerError,
	codes.Unauthenticated:    http.StatusUnauthorized,
}

// reasonStatuses holds the reasons whose HTTP status says more than that of their gRPC code.
var reasonStatuses = map[string]int{
	string(fault.ReasonRequestTooLarge):      http.StatusRequestEntityTooLarge,
	string(fault.ReasonMethodNotAllowed):     http.StatusMethodNotAllowed,
	string(fault.ReasonUnsupportedMediaType): http.StatusUnsupportedMediaType,
}

// ourWords are what an error is called here.
type ourWords struct {
	reason  fault.Reason
	message string
}

// foreignErrors hold what is told of an error that carries no ErrorInfo of ours: it comes from the gRPC library or the
// gateway's, not from the service, and its text may quote the request. A code without a row is a fault of the service.
var foreignErrors = [...]ourWords{
	codes.Canceled:          {fault.ReasonCancelled, "the caller left before the answer was there"},
	codes.InvalidArgument:   {fault.ReasonMalformedRequest, "the request cannot be understood"},
	codes.DeadlineExceeded:  {fault.ReasonDeadlineExceeded, "the caller's deadline ended before the answer was there"},
	codes.NotFound:          {fault.ReasonRouteNotFound, "there is no such call"},
	codes.PermissionDenied:  {fault.ReasonPermissionDenied, "the caller may not do this"},
	codes.ResourceExhausted: {fault.ReasonRequestTooLarge, "the request or its answer is larger than the service takes"},
	codes.Unimplemented:     {fault.ReasonNotOffered, "this version of the service does not offer the call"},
	codes.Unavailable:       {fault.ReasonShuttingDown, "the service cannot be reached"},
	codes.Unauthenticated:   {fault.ReasonUnauthenticated, "the caller did not say who it is"},
}

// httpStatus is the HTTP status of an error.
func httpStatus(st *status.Status) int {
	if info := errorInfo(st); info != nil {
		if s, ok := reasonStatuses[info.GetReason()]; ok {
			return s
		}
	}
	if code := st.Code(); int(code) < len(httpStatuses) {
		return httpStatuses[code]
	}
	return http.StatusInternalServerError
}

// foreign is the status of an error that is not the service's own.
func foreign(st *status.Status) *status.Status {
	var ours ourWords
	if code := st.Code(); int(code) < len(foreignErrors) {
		ours = foreignErrors[code]
	}
	if ours.reason == "" {
		return internal().status
	}
	told := newRefusal(st.Code(), ours.reason, ours.message).status
	if st.Code() == codes.Unavailable {
		// Whoever cannot reach the service comes back; the contract promises to say when.
		if waiting, err := told.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)}); err == nil {
			return waiting
		}
	}
	return told
}

// errorInfo is the ErrorInfo of the service in a status, nil when there is none.
func errorInfo(st *status.Status) *errdetails.ErrorInfo {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == errorDomain {
			return info
		}
	}
	return nil
}
