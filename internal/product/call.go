package product

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/nanp"
)

// CarrierCall translates a normalised order that Validate finds nothing in. An error is a fault of the service, names
// the field and never quotes its value: what cannot be translated whole is not translated at all.
func CarrierCall(o *portinv1.PortInOrder) (carrier.Call, error) {
	spec, ok := Of(o)
	if !ok || o.GetForm() == nil {
		return carrier.Call{}, errors.New("product: translate an order without a target or a form")
	}
	e := encoder{}
	for _, p := range spec.phones(o) {
		if p.role == ported {
			e.toPort = append(e.toPort, e.number(p.at, *p.value))
		}
	}
	if len(e.toPort) == 0 {
		e.fail(at(spec.field()), "has no number to port")
	}
	body, err := e.encode(spec.body(o, &e))
	if err != nil {
		return carrier.Call{}, fmt.Errorf("product: translate %s: %w", spec.Arm, err)
	}
	return carrier.Call{Operation: spec.Operation, Path: spec.Path, Body: body}, nil
}

// encoder makes wire values. The first field that cannot be written ends the translation.
type encoder struct {
	// toPort are the numbers to port, for the form: the carrier wants them there and in the product's own list.
	toPort []int64
	// files are the contents that encode puts into the body.
	files [][]byte
	err   error
}

// fail keeps the first field only: one is enough to know where the rules and the translation disagree.
func (e *encoder) fail(at place, what string) {
	if e.err == nil {
		e.err = errors.New(at.String() + " " + what)
	}
}

// number is a telephone number as the carrier writes it: an integer of ten digits, without the country code.
func (e *encoder) number(at place, value string) int64 {
	n, ok := nanp.Read(value)
	if !ok {
		e.fail(at, "is not a telephone number")
	}
	return int64(n)
}

// numberIf is nil for a number that is absent, so that it is not sent.
func (e *encoder) numberIf(at place, value *string) *int64 {
	if value == nil {
		return nil
	}
	n := e.number(at, *value)
	return &n
}

// numbersIf is nil for an empty list, which proto3 cannot tell from an absent one.
func (e *encoder) numbersIf(list string, values []string) []int64 {
	var numbers []int64
	for i, value := range values {
		numbers = append(numbers, e.number(entry(list, i, ""), value))
	}
	return numbers
}

// must is a member that the carrier wants even when it is 0 or false. One that the caller left out must not become that.
func must[T any](e *encoder, at place, value *T) T {
	if value == nil {
		e.fail(at, "is not set")
		var none T
		return none
	}
	return *value
}

// wireNumber is the carrier's NumberRequest. It could name a rate centre instead of a number; a port-in never does.
type wireNumber struct {
	Number int64 `json:"Number"`
}

// wireFile is the carrier's Base64EncodedFile. The contents are a reference to the encoder's files until encode puts
// them in.
type wireFile struct {
	Base64Contents string `json:"Base64Contents"`
	ContentType    string `json:"ContentType"`
	FileName       string `json:"FileName"`
}

// filesOf writes the documents of one list and keeps their contents aside.
func (e *encoder) filesOf(documents []*portinv1.Document) []wireFile {
	return shapes(documents, func(d *portinv1.Document) wireFile {
		e.files = append(e.files, d.GetContent())
		return wireFile{Base64Contents: strconv.Itoa(len(e.files) - 1), ContentType: d.GetMimeType(), FileName: d.GetFileName()}
	})
}

// contentsMember is how a file's contents begin in the JSON. No text of an order can look like it, because encoding/json
// escapes the quotes of a text.
const contentsMember = `"Base64Contents":"`

// encode writes the body in one allocation of its exact size: the JSON around the files first, then each file's base64
// straight into its place. Documents are megabytes, and encoding/json would copy each several times.
func (e *encoder) encode(order any) ([]byte, error) {
	if e.err != nil {
		return nil, e.err
	}
	var frame bytes.Buffer
	enc := json.NewEncoder(&frame)
	enc.SetEscapeHTML(false) // Texts go to the carrier as they are.
	if err := enc.Encode(order); err != nil {
		return nil, err
	}
	rest := bytes.TrimSuffix(frame.Bytes(), []byte("\n"))
	size := len(rest)
	for i, content := range e.files {
		size += base64.StdEncoding.EncodedLen(len(content)) - len(strconv.Itoa(i))
	}
	body := make([]byte, 0, size)
	for range e.files {
		// The reference says which file it is, so the order of the members does not matter.
		before, after, _ := bytes.Cut(rest, []byte(contentsMember))
		index, tail, _ := bytes.Cut(after, []byte(`"`))
		n, err := strconv.Atoi(string(index))
		if err != nil || n >= len(e.files) {
			return nil, errors.New("a file has no place in the body")
		}
		body = append(append(body, before...), contentsMember...)
		body = base64.StdEncoding.AppendEncode(body, e.files[n])
		body = append(body, '"')
		rest = tail
	}
	return append(body, rest...), nil
}
