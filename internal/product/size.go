package product

import (
	"fmt"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
)

// Limits bound an order before anything of it is looked at closely. They are configuration. The zero value allows nothing
// at all.
type Limits struct {
	// MaxNumbers is how many entries a target may have, and each list of numbers of the form.
	MaxNumbers int
	// MaxFileBytes is how large one document may be, in bytes.
	MaxFileBytes int64
	// MaxDocumentBytes is how large all documents of an order may be together, in bytes.
	MaxDocumentBytes int64
}

const (
	isRequired = "is required"
	noTarget   = "is required: exactly one target says what the numbers become"
)

// CheckSize lists what is too much in an order as it came, in the order of the contract: it counts and looks at nothing
// else, so that a hostile order costs nothing.
func CheckSize(o *portinv1.PortInOrder, limits Limits) []fault.Violation {
	var r report
	if spec, ok := Of(o); ok {
		m := o.ProtoReflect()
		r.counts(spec.field(), m.Get(m.Descriptor().Fields().ByName(spec.Arm)).Message(), limits.MaxNumbers)
	}
	if f := o.GetForm(); f != nil {
		r.counts("order.form", f.ProtoReflect(), limits.MaxNumbers)
		// Only a form whose lists are short enough has its documents walked.
		if len(r.violations) == 0 {
			r.documentSizes(f, limits)
		}
	}
	return r.sorted()
}

// counts reports every list of a message that is too long: longer than its own rule in the contract says, or longer than
// the largest count of numbers when it has none.
func (r *report) counts(field string, m protoreflect.Message, maxNumbers int) {
	for _, list := range orderPlans[m.Descriptor().FullName()].lists {
		limit := list.limit
		if limit == 0 {
			limit = maxNumbers
		}
		if m.Get(list.descriptor).List().Len() > limit {
			r.add(at(field+"."+string(list.descriptor.Name())), fmt.Sprintf("has too many entries; want at most %d", limit))
		}
	}
}

// maxItems is the limit that the contract has for a list, and 0 when it has none.
func maxItems(fd protoreflect.FieldDescriptor) int {
	rules, _ := proto.GetExtension(fd.Options(), validate.E_Field).(*validate.FieldRules)
	return int(rules.GetRepeated().GetMaxItems())
}

// documentSizes reports every file that is too large, and the one with which all of them together become so.
func (r *report) documentSizes(f *portinv1.PortForm, limits Limits) {
	var total int64 // of files that are all in memory, so it cannot overflow
	for _, d := range documents(f) {
		size := int64(len(d.GetContent()))
		if size > limits.MaxFileBytes {
			r.add(entry(d.list, d.index, "content"), "is too large; want at most "+bytesText(limits.MaxFileBytes)+" a file")
		}
		if total <= limits.MaxDocumentBytes && total+size > limits.MaxDocumentBytes {
			r.add(entry(d.list, d.index, "content"),
				"makes the documents too large together; want at most "+bytesText(limits.MaxDocumentBytes)+" an order")
		}
		total += size
	}
}

// bytesText writes a size for people.
func bytesText(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
