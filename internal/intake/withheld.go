package intake

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/nanp"
	"github.com/portin/portin/internal/product"
)

// correction is what a request makes of an old order, and what is wrong with it. Documents and passwords of the old one are not
// kept, so each list of documents and each password that it had has to be in the new one, or be given up by name: none goes
// missing because a mask replaced what it was in.
type correction struct {
	old, new   *portinv1.PortInOrder
	mask       []string
	dropped    []string
	violations []fault.Violation
	// listed are the lines of the new order by their list and number, as far as they were asked for.
	listed map[string]map[string]protoreflect.Message
}

func (c *correction) refuse(field, description string) {
	c.violations = append(c.violations, fault.Violation{Field: field, Description: description})
}

var entryNumber = regexp.MustCompile(`\[\d+\]`)

// dropsIt reports whether a path is given up: by itself, or as one of all entries of its list.
func (c *correction) dropsIt(path string) bool {
	return slices.Contains(c.dropped, path) || slices.Contains(c.dropped, entryNumber.ReplaceAllString(path, ""))
}

// checkWithheld wants every password of the old order to be in the new one, or to be given up.
func (c *correction) checkWithheld() {
	numbers := map[string]bool{}
	for _, n := range product.Numbers(c.new) {
		numbers[e164(n)] = true
	}
	for _, path := range c.old.GetWithheldFields() {
		line := c.line(path)
		gone := line != "" && !numbers[line]
		if !c.has(path) && !gone && !c.dropsIt(path) {
			c.refuse("order."+path, "was a password of the old order, which is not kept; give its list again with it, or name it in dropped_documents")
		}
	}
}

// line is the number of the line that a password of the old order belonged to; empty when it belonged to none.
func (c *correction) line(path string) string {
	in, _ := at(c.old, path)
	return lineNumber(in)
}

// has reports whether the new order has a password of the old one: that of a line by the line's number, wherever in the list
// the line is now.
func (c *correction) has(path string) bool {
	in, field := at(c.new, path)
	if line := c.line(path); line != "" {
		list, _, _ := strings.Cut(path, "[")
		in = c.lines(list)[line]
		_, field = at(c.old, path)
	}
	return in != nil && in.Has(field)
}

// lines are the lines of a list of the new order by their numbers.
func (c *correction) lines(list string) map[string]protoreflect.Message {
	if lines, ok := c.listed[list]; ok {
		return lines
	}
	lines := map[string]protoreflect.Message{}
	if in, field := at(c.new, list); in != nil && field.IsList() {
		for i := range in.Get(field).List().Len() {
			line := in.Get(field).List().Get(i).Message()
			lines[lineNumber(line)] = line
		}
	}
	if c.listed == nil {
		c.listed = map[string]map[string]protoreflect.Message{}
	}
	c.listed[list] = lines
	return lines
}

// at is the field that a path names, and the message that it is in; nil when the order has no such message.
func at(o *portinv1.PortInOrder, path string) (in protoreflect.Message, field protoreflect.FieldDescriptor) {
	in = o.ProtoReflect()
	for step, rest, deeper := strings.Cut(path, "."); ; step, rest, deeper = strings.Cut(rest, ".") {
		name, index, listed := strings.Cut(strings.TrimSuffix(step, "]"), "[")
		field = in.Descriptor().Fields().ByName(protoreflect.Name(name))
		switch {
		case field == nil:
			return nil, nil
		case !deeper:
			return in, field
		case !in.Has(field) || field.Message() == nil || field.IsList() != listed:
			return nil, nil
		case !listed:
			in = in.Get(field).Message()
			continue
		}
		i, err := strconv.Atoi(index)
		if err != nil || i >= in.Get(field).List().Len() {
			return nil, nil
		}
		in = in.Get(field).List().Get(i).Message()
	}
}

// lineNumber is the number of a line of a target; empty when a message is none.
func lineNumber(in protoreflect.Message) string {
	if in == nil {
		return ""
	}
	field := in.Descriptor().Fields().ByName("number")
	if field == nil || field.Kind() != protoreflect.StringKind {
		return ""
	}
	return e164(in.Get(field).String())
}

// e164 is a number as it is kept, or, when it is none, as it was written.
func e164(written string) string {
	if n, ok := nanp.Parse(written); ok {
		return n.E164()
	}
	return written
}

// documentLists are the lists of documents of a form, by their paths.
func documentLists(f *portinv1.PortForm) map[string]*[]*portinv1.Document {
	if f == nil {
		f = &portinv1.PortForm{}
	}
	return map[string]*[]*portinv1.Document{
		"form.letters_of_authorization": &f.LettersOfAuthorization, "form.last_invoices": &f.LastInvoices,
		"form.blif_spreadsheets": &f.BlifSpreadsheets, "form.resp_org_forms": &f.RespOrgForms,
	}
}

// givesDocuments reports whether documents of a list are given: what a mask does not name is what is left of the old ones.
func (c *correction) givesDocuments(path string) bool {
	return contract.Covers(c.mask, path) && len(*documentLists(c.new.GetForm())[path]) > 0
}

// checkDocuments wants every list of documents of the old order to be given again, or to be given up, and takes those out of
// the new one.
func (c *correction) checkDocuments() {
	lists := documentLists(c.new.GetForm())
	for path, was := range documentLists(c.old.GetForm()) {
		switch {
		case len(*was) == 0 || c.givesDocuments(path):
		case c.dropsIt(path):
			*lists[path] = nil
		default:
			c.refuse("order."+path, "had documents in the old order, which are not kept; give them again, or name it in dropped_documents")
		}
	}
}

// checkDropped refuses to give up what the old order did not have, or what is given again.
func (c *correction) checkDropped() {
	given := map[string]bool{} // by what may be named
	for path, list := range documentLists(c.old.GetForm()) {
		if len(*list) > 0 {
			given[path] = c.givesDocuments(path)
		}
	}
	for _, path := range c.old.GetWithheldFields() {
		all := entryNumber.ReplaceAllString(path, "")
		given[path] = c.has(path)
		given[all] = given[all] || given[path]
	}
	for i, path := range c.dropped {
		field := fmt.Sprintf("dropped_documents[%d]", i)
		again, had := given[path]
		switch {
		case !had:
			c.refuse(field, "names no documents and no password that the old order had")
		case again:
			c.refuse(field, "names what the order gives again; leave it out of one of them")
		}
	}
}
