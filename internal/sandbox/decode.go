package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"unicode/utf8"
)

// maxDepth is how deep a body may nest. The deepest order has four levels.
const maxDepth = 32

// decode reads one JSON value as map[string]any, []any, json.Number, string,
// bool and nil. Unlike encoding/json it refuses a name that stands twice in one
// object, bytes after the value, and anything that is not UTF-8: in each of them
// two readers of the same body can see two different orders.
func decode(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, violate("", "not UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	value, err := decodeValue(decoder, "", 0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, violate("", "bytes after the JSON value")
	}
	return value, nil
}

func decodeValue(decoder *json.Decoder, at string, depth int) (any, error) {
	if depth > maxDepth {
		return nil, violate(at, "nested deeper than %d levels", maxDepth)
	}
	token, err := decoder.Token()
	if err != nil {
		return nil, notJSON(decoder)
	}
	switch token {
	case json.Delim('{'):
		return decodeObject(decoder, at, depth)
	case json.Delim('['):
		return decodeArray(decoder, at, depth)
	}
	return token, nil
}

func decodeObject(decoder *json.Decoder, at string, depth int) (any, error) {
	members := map[string]any{}
	for decoder.More() {
		token, err := decoder.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, notJSON(decoder)
		}
		path := member(at, name)
		if _, twice := members[name]; twice {
			return nil, violate(path, "the name stands twice in one object")
		}
		if members[name], err = decodeValue(decoder, path, depth+1); err != nil {
			return nil, err
		}
	}
	return members, closing(decoder)
}

func decodeArray(decoder *json.Decoder, at string, depth int) (any, error) {
	list := []any{}
	for decoder.More() {
		item, err := decodeValue(decoder, index(at, len(list)), depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, closing(decoder)
}

func closing(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil {
		return notJSON(decoder)
	}
	return nil
}

// notJSON gives the position alone: the decoder's own text quotes the body.
func notJSON(decoder *json.Decoder) error {
	return violate("", "not JSON, at or after byte %d", decoder.InputOffset())
}

// jsonType names the JSON type of a decoded value.
func jsonType(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
