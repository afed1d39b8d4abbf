package gateway

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/portin/portin/internal/fault"
)

// readQuery reads a query of which every parameter is a field of the call, said once, with a value that the field can
// have. The mux's parser can be made as strict only for the whole process, so the check stands before it.
func (r *route) readQuery(raw string) (url.Values, *refusal) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, malformed("the query cannot be read: broken escapes, or a semicolon between parameters")
	}
	said := map[protoreflect.Name]bool{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		field, ok := r.query[name]
		if !ok {
			return nil, malformed(quoted("query parameter", name) + " is none of this call; " + r.parameters())
		}
		problem := r.checkParameter(field, values[name])
		if said[field.Name()] {
			problem = "is given in both spellings"
		}
		said[field.Name()] = true
		if problem != "" {
			return nil, malformed(quoted("query parameter", name)+" "+problem,
				fault.Violation{Field: field.JSONName(), Description: problem})
		}
	}
	return values, nil
}

// checkParameter says what is wrong with the values of a parameter. The mux's own parser judges each; its error quotes
// the value and is dropped.
func (r *route) checkParameter(field protoreflect.FieldDescriptor, values []string) string {
	if !field.IsList() && len(values) > 1 {
		return "is given more than once"
	}
	for _, value := range values {
		if !utf8.ValidString(value) {
			return "is not UTF-8"
		}
	}
	parsed := url.Values{string(field.Name()): values}
	if err := (&runtime.DefaultQueryParser{}).Parse(r.inputType.New().Interface(), parsed, &utilities.DoubleArray{}); err != nil {
		return "has a wrong value, want " + wanted(field, false)
	}
	return ""
}

// parameters says what the query of the call can have.
func (r *route) parameters() string {
	names := map[string]bool{}
	for _, field := range r.query {
		names[field.JSONName()] = true
	}
	if len(names) == 0 {
		return "it has none"
	}
	return "it has " + strings.Join(slices.Sorted(maps.Keys(names)), ", ")
}

// takeIdempotencyKey puts the header Idempotency-Key where the service looks for it, the parameter requestId. Given in
// both places, or more than once, it must be the same key. A key in quotes, as the header's draft standard has it, is
// the key between them.
func takeIdempotencyKey(header http.Header, query url.Values) *refusal {
	const parameter = "requestId"
	keys := slices.Clone(header["Idempotency-Key"])
	for i, key := range keys {
		if n := len(key); n >= 2 && key[0] == '"' && key[n-1] == '"' {
			keys[i] = key[1 : n-1]
		}
	}
	if len(keys) == 0 {
		return nil
	}
	for _, key := range slices.Concat(keys, query[parameter], query["request_id"]) {
		if !strings.EqualFold(key, keys[0]) {
			return invalid(parameter, "is not the same everywhere: the header Idempotency-Key and the query parameter requestId must agree")
		}
	}
	if !utf8.ValidString(keys[0]) {
		return invalid(parameter, "must be a UUID")
	}
	query.Del("request_id")
	query.Set(parameter, keys[0])
	return nil
}
