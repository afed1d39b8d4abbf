package gateway

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// putMask puts into the query which fields of the body are meant, in the contract's spelling. A mask that the caller gives is
// spelled anew. Without one a PATCH means every field that its body names: of the message that the body becomes, nobody can
// tell a list that is to be emptied from one that was not spoken of.
func (r *route) putMask(query url.Values, body []byte) {
	field := r.query["update_mask"]
	if field == nil || field.Message() == nil || field.Message().FullName() != "google.protobuf.FieldMask" {
		return
	}
	var given []string
	for _, spelling := range []string{field.JSONName(), field.TextName()} {
		given = append(given, query[spelling]...)
		query.Del(spelling)
	}
	message := r.bodyType.Descriptor()
	var mask []string
	for path := range strings.SplitSeq(strings.Join(given, ","), ",") {
		if path != "" {
			mask = append(mask, protoPath(message, path))
		}
	}
	if len(mask) == 0 && r.verb == http.MethodPatch {
		mask = named(message, body)
	}
	if len(mask) > 0 {
		query.Set(field.TextName(), strings.Join(mask, ","))
	}
}

// respell puts the paths of a parameter that names fields of the order, as violations do, into the contract's spelling.
func (r *route) respell(query url.Values) {
	field := r.query["dropped_documents"]
	if field == nil {
		return
	}
	for _, spelling := range []string{field.JSONName(), field.TextName()} {
		for i, path := range query[spelling] {
			query[spelling][i] = protoPath(r.bodyType.Descriptor(), path)
		}
	}
}

// named are the fields that a body names, in the order of their names. One that is null is not spoken of: in the JSON of
// protobuf that is how a field is absent. The body has been decoded, so it is an object and all its names are known.
func named(message protoreflect.MessageDescriptor, body []byte) (names []string) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return nil
	}
	for name, value := range fields {
		if !bytes.Equal(value, []byte("null")) {
			names = append(names, protoPath(message, name))
		}
	}
	slices.Sort(names)
	return names
}

// protoPath is a path with the names of the contract, as far as it is one of the message: over JSON it may be spelled as the body
// is. A step may have the place of an entry behind it.
func protoPath(message protoreflect.MessageDescriptor, path string) string {
	steps := strings.Split(path, ".")
	for i, step := range steps {
		if message == nil {
			break
		}
		name, place, listed := strings.Cut(step, "[")
		field := message.Fields().ByJSONName(name)
		if field == nil {
			field = message.Fields().ByTextName(name)
		}
		if field == nil {
			break
		}
		steps[i], message = field.TextName(), field.Message()
		if listed {
			steps[i] += "[" + place
		}
	}
	return strings.Join(steps, ".")
}
