package auth

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

// maxProblems is how many problems of a roster are told at once.
const maxProblems = 50

// entry is a value of the roster's file and where it stands.
type entry struct {
	place string
	node  *yaml.Node
}

// at is an entry of a list.
func (e entry) at(i int, node *yaml.Node) entry {
	return entry{place: fmt.Sprintf("%s[%d]", e.place, i), node: node}
}

// problems are what is wrong with a file, each with its place. They never quote the file, for any value in it may be a secret
// in the wrong place; the YAML library's own decoding would quote it.
type problems struct{ all []error }

func (p *problems) add(e entry, text string) {
	p.all = append(p.all, fmt.Errorf("%s (line %d): %s", e.place, e.node.Line, text))
}

// err is all of them as one error.
func (p *problems) err() error {
	if more := len(p.all) - maxProblems; more > 0 {
		return errors.Join(append(slices.Clone(p.all[:maxProblems]), fmt.Errorf("and %d more problems", more))...)
	}
	return errors.Join(p.all...)
}

var lineOf = regexp.MustCompile(`line \d+`)

// document is the top of a file that is one YAML document.
func document(content []byte) (entry, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var top, second yaml.Node
	switch err := decoder.Decode(&top); {
	case errors.Is(err, io.EOF):
		return entry{}, errors.New("the file is empty")
	case err != nil:
		// The rest of the error may quote the file.
		return entry{}, fmt.Errorf("the file is not YAML: %s", cmp.Or(lineOf.FindString(err.Error()), "no line is known"))
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return entry{}, errors.New("the file has a second document, or an end that is not YAML")
	}
	return entry{place: "the file", node: top.Content[0]}, nil
}

// fields are the values of a mapping by their names. Those that are not among the names, or are there twice, are problems.
func (p *problems) fields(e entry, prefix string, names ...string) map[string]entry {
	if e.node.Kind != yaml.MappingNode {
		p.add(e, "must have the fields "+strings.Join(names, ", "))
		return nil
	}
	found := map[string]entry{}
	for i := 0; i+1 < len(e.node.Content); i += 2 {
		key, value := e.node.Content[i], e.node.Content[i+1]
		_, twice := found[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || !slices.Contains(names, key.Value):
			p.add(entry{e.place, key}, "has an unknown field; there are "+strings.Join(names, ", "))
		case twice:
			p.add(entry{prefix + key.Value, key}, "is there twice")
		default:
			found[key.Value] = entry{prefix + key.Value, value}
		}
	}
	return found
}

// some are the entries of a list that has to be there and to have one at least.
func (p *problems) some(of, e entry, name string, most int) []entry {
	if e.node == nil {
		p.add(of, "must have "+name)
		return nil
	}
	return p.filled(e, most)
}

// filled are the entries of a list that is not empty.
func (p *problems) filled(e entry, most int) []entry {
	if e.node.Kind == yaml.SequenceNode && len(e.node.Content) == 0 {
		p.add(e, "is empty")
	}
	return p.list(e, most)
}

// list are the entries of a list of at most so many.
func (p *problems) list(e entry, most int) []entry {
	switch {
	case e.node == nil:
		return nil
	case e.node.Kind != yaml.SequenceNode:
		p.add(e, "must be a list")
		return nil
	case len(e.node.Content) > most:
		p.add(e, "has more entries than "+strconv.Itoa(most))
		return nil
	}
	all := make([]entry, len(e.node.Content))
	for i, node := range e.node.Content {
		all[i] = e.at(i, node)
	}
	return all
}

// oneOrMore are the entries of a list, or the one value that stands in its place.
func (p *problems) oneOrMore(e entry, most int) []entry {
	switch {
	case e.node == nil:
		return nil
	case e.node.Kind == yaml.ScalarNode:
		return []entry{e}
	default:
		return p.filled(e, most)
	}
}

// text is a value as it is written, without what YAML would make of it: a digest may look like a number.
func (p *problems) text(e entry) (string, bool) {
	if e.node.Kind != yaml.ScalarNode || e.node.Tag == "!!null" || e.node.Value == "" {
		p.add(e, "must be a text")
		return "", false
	}
	return e.node.Value, true
}
