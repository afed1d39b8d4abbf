package gateway

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"

	"github.com/portin/portin/internal/fault"
)

// decodedBody is the body of a request after admission: a message for the mux's generated code to take, and nothing left
// to read. Bodies are decoded before that code because it turns the error of a decoder into text, details and all.
type decodedBody struct {
	message proto.Message
}

// Read says that the body is read.
func (decodedBody) Read([]byte) (int, error) { return 0, io.EOF }

// Close does nothing.
func (decodedBody) Close() error { return nil }

// readBody reads and decodes the body of a call, or makes sure that a call without one has none. What the body says of the
// fields that change becomes a parameter of the query.
func (g *gateway) readBody(w http.ResponseWriter, r *http.Request, route *route, query url.Values) (io.ReadCloser, *refusal) {
	if route.bodyType == nil {
		if n, _ := io.ReadFull(r.Body, make([]byte, 1)); n > 0 {
			return nil, malformed("the call has no body")
		}
		return http.NoBody, nil
	}
	if !isJSON(r.Header) {
		return nil, wrongType()
	}
	data, refused := g.bytesOf(w, r)
	if refused != nil {
		return nil, refused
	}
	message := route.bodyType.New().Interface()
	if refused := g.decoder.decode(data, message); refused != nil {
		return nil, refused
	}
	route.putMask(query, data)
	route.respell(query)
	return decodedBody{message}, nil
}

// isJSON reports whether a body calls itself JSON. One that does not say what it is may come from a page of another
// origin: a browser sends any type but JSON without asking by CORS first.
func isJSON(header http.Header) bool {
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return false
	}
	types := header["Content-Type"]
	if len(types) != 1 {
		return false
	}
	mediaType, params, err := mime.ParseMediaType(types[0])
	charset, hasCharset := params["charset"]
	return err == nil && mediaType == jsonType && (!hasCharset || strings.EqualFold(charset, "utf-8"))
}

// firstRead is how much of a body is read before the memory for all of it is taken: a length is only a promise.
const firstRead = 1 << 20

// bytesOf reads a body into one buffer of its size. Of one that is too large, or does not fit beside what is in flight, nothing
// more is read than it takes to know; its connection ends with the answer.
func (g *gateway) bytesOf(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	if r.ContentLength > g.maxBody {
		w.Header().Set("Connection", "close")
		return nil, tooLarge(g.maxBody)
	}
	held, err := g.weighed(r)
	if err != nil {
		w.Header().Set("Connection", "close")
		return nil, unfit(err)
	}
	body := http.MaxBytesReader(w, held, g.maxBody)
	var data bytes.Buffer
	data.Grow(int(min(max(r.ContentLength, 0), firstRead)) + bytes.MinRead)
	_, err = io.CopyN(&data, body, firstRead)
	if err == nil {
		data.Grow(int(max(r.ContentLength-firstRead, 0)) + bytes.MinRead)
		_, err = data.ReadFrom(body)
	}
	switch tooLong, grown := (*http.MaxBytesError)(nil), (*fault.Error)(nil); {
	case errors.As(err, &tooLong):
		w.Header().Set("Connection", "close")
		return nil, tooLarge(g.maxBody)
	case errors.As(err, &grown):
		w.Header().Set("Connection", "close")
		return nil, unfit(grown)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, malformed("the body did not come to its end")
	}
	return data.Bytes(), nil
}

// take is the decoder of the mux's marshalers: it hands the message of a decoded body over. The generated code asks with
// a message to fill, or with a place for a pointer to one.
func take(body io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(into any) error {
		decoded, ok := body.(decodedBody)
		if !ok {
			return errors.New("the body was not decoded on admission")
		}
		return handOver(into, decoded.message)
	})
}
