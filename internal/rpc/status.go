package rpc

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/portin/portin/internal/fault"
)

// Domain is the domain of every ErrorInfo.
const Domain = "portin.v1"

// Bounds of what an error carries, in bytes. gRPC sends it in a trailer, and a trailer that is too large breaks the
// connection, which the caller takes for UNAVAILABLE and retries. Java and everything built on gRPC's C core take 8 KiB
// of metadata unless told otherwise.
const (
	maxMessage    = 1 << 10
	maxDetails    = 4 << 10
	maxMetadata   = 1 << 10
	maxViolations = 16
	maxText       = 256
	maxTrailer    = 8 << 10
)

// grpcCodes holds the gRPC code of every kind of fault.
var grpcCodes = [fault.KindCount]codes.Code{
	fault.KindInternal:           codes.Internal,
	fault.KindInvalidArgument:    codes.InvalidArgument,
	fault.KindNotFound:           codes.NotFound,
	fault.KindAlreadyExists:      codes.AlreadyExists,
	fault.KindFailedPrecondition: codes.FailedPrecondition,
	fault.KindResourceExhausted:  codes.ResourceExhausted,
	fault.KindUnavailable:        codes.Unavailable,
	fault.KindDeadlineExceeded:   codes.DeadlineExceeded,
	fault.KindUnimplemented:      codes.Unimplemented,
	fault.KindOutOfRange:         codes.OutOfRange,
	fault.KindUnauthenticated:    codes.Unauthenticated,
	fault.KindPermissionDenied:   codes.PermissionDenied,
	fault.KindCancelled:          codes.Canceled,
	fault.KindAborted:            codes.Aborted,
}

// faultOf finds the meaning of an error that a handler returned. Errors of the context have one, also as grpc-go says
// them; all others without are internal.
func faultOf(err error) *fault.Error {
	var e *fault.Error
	switch code := status.Code(err); {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.Canceled), code == codes.Canceled:
		return fault.New(fault.ReasonCancelled, "the caller left").WithCause(err)
	case errors.Is(err, context.DeadlineExceeded), code == codes.DeadlineExceeded:
		return fault.New(fault.ReasonDeadlineExceeded, "the deadline ended").WithCause(err)
	}
	return fault.Internal(err)
}

// statusOf is the gRPC status of a fault: one ErrorInfo, the field violations, the wait, all within bounds.
func statusOf(e *fault.Error) *status.Status {
	message := cut(e.Message, maxMessage)
	info := errorInfo(e)
	details := []protoadapt.MessageV1{info}
	if e.RetryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: wholeSeconds(e.RetryAfter)})
	}
	if len(e.Violations) > 0 {
		details = append(details, badRequest(e.Violations, room(message)-size(details)))
	}
	plain := status.New(grpcCodes[e.Kind()], message)
	detailed, err := plain.WithDetails(details...)
	if err != nil { // not for messages that marshal; ours do
		return plain
	}
	return detailed
}

// errorInfo holds the reason and as many facts as fit, by name.
func errorInfo(e *fault.Error) *errdetails.ErrorInfo {
	info := &errdetails.ErrorInfo{Reason: string(e.Reason), Domain: Domain}
	if len(e.Violations)+len(e.Metadata) > 0 {
		info.Metadata = map[string]string{}
	}
	if total := len(e.Violations); total > 0 {
		info.Metadata["violations_total"] = strconv.Itoa(total)
	}
	for _, key := range slices.Sorted(maps.Keys(e.Metadata)) {
		name := cut(key, maxText)
		info.Metadata[name] = cut(e.Metadata[key], maxText)
		if proto.Size(info) > maxMetadata {
			delete(info.Metadata, name)
			break
		}
	}
	return info
}

// wholeSeconds rounds a wait upwards: the JSON face says the same in Retry-After, which knows no fractions.
func wholeSeconds(d time.Duration) *durationpb.Duration {
	whole := int64(d / time.Second)
	if d%time.Second > 0 {
		whole++
	}
	return &durationpb.Duration{Seconds: whole}
}

// badRequest holds the first violations, as many as fit.
func badRequest(violations []fault.Violation, room int) *errdetails.BadRequest {
	bad := &errdetails.BadRequest{}
	for _, v := range violations[:min(len(violations), maxViolations)] {
		bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{
			Field: cut(v.Field, maxText), Description: cut(v.Description, maxText),
		})
		if proto.Size(bad) > room {
			bad.FieldViolations = bad.FieldViolations[:len(bad.FieldViolations)-1]
			break
		}
	}
	return bad
}

// overhead is what a detail costs beside its message: the type URL and the lengths.
const overhead = 64

func size(details []protoadapt.MessageV1) int {
	total := overhead
	for _, d := range details {
		total += proto.Size(protoadapt.MessageV2Of(d)) + overhead
	}
	return total
}

// room is how many bytes of details fit into a trailer with a message. The trailer holds the message twice, once
// percent-encoded and once beside the details in base64, and what HTTP/2 counts for its fields.
func room(message string) int {
	const fields = 1 << 10
	encoded := 0
	for i := range len(message) {
		if c := message[i]; c < ' ' || c > '~' || c == '%' {
			encoded += 2
		}
		encoded++
	}
	return min(maxDetails, (maxTrailer-fields-encoded)*3/4-len(message))
}

// cut bounds a text to a number of bytes, at a whole character, and makes it valid UTF-8.
func cut(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// metadataOf returns a copy of a fault's facts for the log; only those that are identities, never texts.
func metadataOf(e *fault.Error) map[string]string {
	kept := maps.Clone(e.Metadata)
	maps.DeleteFunc(kept, func(key, _ string) bool { return key != "order_id" && key != "carrier_error_id" })
	return kept
}
