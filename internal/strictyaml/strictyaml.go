// Package strictyaml reads YAML files that people write by hand, value by value.
//
// It promises that nothing in a file is passed over: a field that nobody knows, or that is there twice, is a problem; that all
// problems are told, each with its place; and that none of them quotes the file, for any value in it may be a secret in the wrong
// place, which the YAML library's own decoding would quote. It refuses to know what the values mean.
package strictyaml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxProblems is how many problems of a file are told at once.
const maxProblems = 50

// Entry is a value of a file and where it stands. The zero Entry is one that is not there.
type Entry struct {
	// Place is what the file calls it, "callers[2].name" for one.
	Place string
	node  *yaml.Node
}

// Given reports whether the value is there.
func (e Entry) Given() bool { return e.node != nil }

// at is an entry of a list.
func (e Entry) at(i int, node *yaml.Node) Entry {
	return Entry{Place: fmt.Sprintf("%s[%d]", e.Place, i), node: node}
}

// Problems are what is wrong with a file. The zero value is none; the methods that read add to them.
type Problems struct{ all []error }

// Add adds a problem with a value.
func (p *Problems) Add(e Entry, text string) {
	p.all = append(p.all, fmt.Errorf("%s (line %d): %s", e.Place, e.node.Line, text))
}

// Err is all of them as one error.
func (p *Problems) Err() error {
	if more := len(p.all) - maxProblems; more > 0 {
		return errors.Join(append(slices.Clone(p.all[:maxProblems]), fmt.Errorf("and %d more problems", more))...)
	}
	return errors.Join(p.all...)
}

var lineOf = regexp.MustCompile(`line \d+`)

// Document is the top of a file that is one YAML document.
func Document(content []byte) (Entry, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var top, second yaml.Node
	switch err := decoder.Decode(&top); {
	case errors.Is(err, io.EOF):
		return Entry{}, errors.New("the file is empty")
	case err != nil:
		// The rest of the error may quote the file.
		return Entry{}, fmt.Errorf("the file is not YAML: %s", cmp.Or(lineOf.FindString(err.Error()), "no line is known"))
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return Entry{}, errors.New("the file has a second document, or an end that is not YAML")
	}
	return Entry{Place: "the file", node: top.Content[0]}, nil
}

// Fields are the values of a mapping by their names. Those that are not among the names, or are there twice, are problems.
func (p *Problems) Fields(e Entry, prefix string, names ...string) map[string]Entry {
	if e.node.Kind != yaml.MappingNode {
		p.Add(e, "must have the fields "+strings.Join(names, ", "))
		return nil
	}
	found := map[string]Entry{}
	for i := 0; i+1 < len(e.node.Content); i += 2 {
		key, value := e.node.Content[i], e.node.Content[i+1]
		_, twice := found[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || !slices.Contains(names, key.Value):
			p.Add(Entry{e.Place, key}, "has an unknown field; there are "+strings.Join(names, ", "))
		case twice:
			p.Add(Entry{prefix + key.Value, key}, "is there twice")
		default:
			found[key.Value] = Entry{prefix + key.Value, value}
		}
	}
	return found
}

// Some are the entries of a list that has to be there and to have one at least.
func (p *Problems) Some(of, e Entry, name string, most int) []Entry {
	if e.node == nil {
		p.Add(of, "must have "+name)
		return nil
	}
	return p.filled(e, most)
}

// filled are the entries of a list that is not empty.
func (p *Problems) filled(e Entry, most int) []Entry {
	if e.node.Kind == yaml.SequenceNode && len(e.node.Content) == 0 {
		p.Add(e, "is empty")
	}
	return p.List(e, most)
}

// List are the entries of a list of at most so many.
func (p *Problems) List(e Entry, most int) []Entry {
	switch {
	case e.node == nil:
		return nil
	case e.node.Kind != yaml.SequenceNode:
		p.Add(e, "must be a list")
		return nil
	case len(e.node.Content) > most:
		p.Add(e, "has more entries than "+strconv.Itoa(most))
		return nil
	}
	all := make([]Entry, len(e.node.Content))
	for i, node := range e.node.Content {
		all[i] = e.at(i, node)
	}
	return all
}

// OneOrMore are the entries of a list, or the one value that stands in its place.
func (p *Problems) OneOrMore(e Entry, most int) []Entry {
	switch {
	case e.node == nil:
		return nil
	case e.node.Kind == yaml.ScalarNode:
		return []Entry{e}
	default:
		return p.filled(e, most)
	}
}

// Text is a value as it is written, without what YAML would make of it: a digest may look like a number.
func (p *Problems) Text(e Entry) (string, bool) {
	if e.node.Kind != yaml.ScalarNode || e.node.Tag == "!!null" || e.node.Value == "" {
		p.Add(e, "must be a text")
		return "", false
	}
	return e.node.Value, true
}

// Required is a text that has to be there.
func (p *Problems) Required(of, e Entry, name string) (string, bool) {
	if e.node == nil {
		p.Add(of, "must have a "+name)
		return "", false
	}
	return p.Text(e)
}
