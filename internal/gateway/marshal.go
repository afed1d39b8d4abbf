package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

const eventStreamType = "text/event-stream"

// marshaler writes answers as JSON: one message as it is, the chunks of a stream each in a frame of its own. It does not
// change.
type marshaler struct {
	// options write zeros and empty lists, so that a reader finds every field that is not optional, and leave out what is
	// not set.
	options    protojson.MarshalOptions
	streamType string
	// before writes what stands before a chunk, after ends one.
	before func(b *bytes.Buffer, message proto.Message)
	after  string
}

// newNDJSON writes a line for each chunk of a stream.
func newNDJSON() *marshaler {
	return &marshaler{
		options: protojson.MarshalOptions{EmitDefaultValues: true}, streamType: "application/x-ndjson",
		before: func(*bytes.Buffer, proto.Message) {}, after: "\n",
	}
}

// newEventStream writes an event for each, for the EventSource of a browser.
func newEventStream() *marshaler {
	m := newNDJSON()
	m.streamType, m.before, m.after = eventStreamType, eventHead, "\n\n"
	return m
}

var (
	_ runtime.Marshaler         = (*marshaler)(nil)
	_ runtime.Delimited         = (*marshaler)(nil)
	_ runtime.StreamContentType = (*marshaler)(nil)
)

// Marshal writes a message, or a chunk of a stream, which the mux hands in as a map of one entry: "result" or "error".
func (m *marshaler) Marshal(v any) ([]byte, error) {
	switch v := v.(type) {
	case proto.Message:
		return m.options.Marshal(v)
	case map[string]any:
		result, ok := v["result"].(proto.Message)
		if !ok {
			return nil, errors.New("a chunk of a stream holds no message")
		}
		return m.chunk("result", result)
	case map[string]proto.Message:
		return m.chunk("error", v["error"])
	}
	return nil, fmt.Errorf("a %T is no message", v)
}

func (m *marshaler) chunk(name string, message proto.Message) ([]byte, error) {
	body, err := m.options.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("writing a chunk of a stream: %w", err)
	}
	var b bytes.Buffer
	b.Grow(len(body) + 256)
	m.before(&b, message)
	b.WriteString(`{"`)
	b.WriteString(name)
	b.WriteString(`":`)
	b.Write(body)
	b.WriteString("}")
	return b.Bytes(), nil
}

// Delimiter ends a chunk.
func (m *marshaler) Delimiter() []byte { return []byte(m.after) }

// ContentType is that of one message.
func (m *marshaler) ContentType(any) string { return jsonType }

// StreamContentType is that of a stream.
func (m *marshaler) StreamContentType(any) string { return m.streamType }

// NewDecoder hands over what was decoded on admission.
func (m *marshaler) NewDecoder(body io.Reader) runtime.Decoder { return take(body) }

// NewEncoder writes messages to w.
func (m *marshaler) NewEncoder(w io.Writer) runtime.Encoder {
	return runtime.EncoderFunc(func(v any) error {
		body, err := m.Marshal(v)
		if err != nil {
			return err
		}
		_, err = w.Write(body)
		return err
	})
}

// Unmarshal is not used by the mux, and refuses.
func (m *marshaler) Unmarshal([]byte, any) error {
	return errors.New("bodies are decoded on admission")
}

// wantsEventStream reports whether a caller asks for events. Lines are what everyone else gets.
func wantsEventStream(header http.Header) bool {
	for _, accept := range header["Accept"] {
		for option := range strings.SplitSeq(accept, ",") {
			if mediaType, params, err := mime.ParseMediaType(option); err == nil && mediaType == eventStreamType && params["q"] != "0" {
				return true
			}
		}
	}
	return false
}
