package gateway

import (
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/portin/portin/internal/fault"
)

// errorDomain is the domain of every google.rpc.ErrorInfo of the service.
const errorDomain = "portin.v1"

// refusal is an error that the gateway finds by itself; the service never hears of the request.
type refusal struct {
	status *status.Status
	// allow are the methods that the path takes, for a wrong method.
	allow []string
}

// newRefusal builds a refusal as the service builds its errors: one ErrorInfo, and the fields when there are any.
func newRefusal(code codes.Code, reason fault.Reason, message string, fields ...fault.Violation) *refusal {
	info := &errdetails.ErrorInfo{Reason: string(reason), Domain: errorDomain}
	details := []protoadapt.MessageV1{info}
	if len(fields) > 0 {
		info.Metadata = map[string]string{"violations_total": strconv.Itoa(len(fields))}
		bad := &errdetails.BadRequest{}
		for _, f := range fields {
			bad.FieldViolations = append(bad.FieldViolations,
				&errdetails.BadRequest_FieldViolation{Field: f.Field, Description: f.Description})
		}
		details = append(details, bad)
	}
	st, err := status.New(code, message).WithDetails(details...)
	if err != nil {
		// WithDetails fails for the code OK alone, and no refusal has it.
		st = status.New(codes.Internal, "the service failed")
	}
	return &refusal{status: st}
}

// malformed refuses a request that cannot be wholly understood.
func malformed(message string, fields ...fault.Violation) *refusal {
	return newRefusal(codes.InvalidArgument, fault.ReasonMalformedRequest, message, fields...)
}

// invalid refuses a request that was understood, for one field.
func invalid(field, description string) *refusal {
	return newRefusal(codes.InvalidArgument, fault.ReasonInvalidFields,
		"fields of the request break rules; see the field violations", fault.Violation{Field: field, Description: description})
}

// tooLarge refuses a body over the limit.
func tooLarge(limit int64) *refusal {
	return newRefusal(codes.ResourceExhausted, fault.ReasonRequestTooLarge,
		fmt.Sprintf("the body is larger than %d bytes, the most that the service takes", limit))
}

// unfit refuses a body that does not fit beside what is in flight, or that is a stranger's, and says when to come again.
func unfit(err error) *refusal {
	f := fault.From(err)
	code := codes.ResourceExhausted
	switch f.Reason { //nolint:exhaustive // what does not fit is the rest
	case fault.ReasonUnauthenticated:
		return newRefusal(codes.Unauthenticated, f.Reason, f.Message)
	case fault.ReasonIssuerUnreachable:
		code = codes.Unavailable
	}
	r := newRefusal(code, f.Reason, f.Message)
	if st, err := r.status.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(f.RetryAfter)}); err == nil {
		r.status = st
	}
	return r
}

// wrongType refuses a body that does not call itself JSON.
func wrongType() *refusal {
	return newRefusal(codes.InvalidArgument, fault.ReasonUnsupportedMediaType,
		"the body must be sent with Content-Type: application/json, in UTF-8 and without Content-Encoding")
}

// noRoute refuses a path that is none of the API.
func noRoute() *refusal {
	return newRefusal(codes.NotFound, fault.ReasonRouteNotFound, "the path is none of this API; /docs/ lists those that are")
}

// wrongMethod refuses a method that the path does not take.
func wrongMethod(allow []string) *refusal {
	r := newRefusal(codes.Unimplemented, fault.ReasonMethodNotAllowed, "the path takes "+strings.Join(allow, ", "))
	r.allow = allow
	return r
}

// internal answers a fault of the gateway itself, about which the log says more.
func internal() *refusal {
	return newRefusal(codes.Internal, fault.ReasonInternal, fault.Internal(nil).Message)
}

// quoted names something that a caller wrote where a name belongs, as far as it is one.
func quoted(kind, name string) string {
	if !isName(name) {
		return "a " + kind
	}
	return kind + ` "` + name + `"`
}

// isName reports whether a text may be repeated as a name. What does not look like one could be a value that slipped: a
// sentence, a secret, a telephone number.
func isName(text string) bool {
	return len(text) <= 64 && isPlain(text) && text[0] > '9'
}

// isPlain reports whether a text is letters and digits of ASCII, dots, dashes and underscores, and at least one of them.
func isPlain(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '.':
		default:
			return false
		}
	}
	return text != ""
}
