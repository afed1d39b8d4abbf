package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// object is a JSON object of the document. The document is handled as the tree that it is, not as typed structs: what
// this command does not know passes through unharmed.
type object = map[string]any

// child walks down named members that must all be objects.
func child(from object, path ...string) (object, error) {
	at := from
	for i, name := range path {
		next, ok := at[name].(object)
		if !ok {
			return nil, fmt.Errorf("expected an object at %s, found %T", strings.Join(path[:i+1], " > "), at[name])
		}
		at = next
	}
	return at, nil
}

// grow walks down like child and makes what is missing.
func grow(from object, path ...string) (object, error) {
	at := from
	for _, name := range path {
		if _, ok := at[name]; !ok {
			at[name] = object{}
		}
		next, err := child(at, name)
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}

// put sets a member that must not be there yet: whoever added it first meant something by it.
func put(in object, name string, value any) error {
	if _, taken := in[name]; taken {
		return fmt.Errorf("%s is there already", name)
	}
	in[name] = value
	return nil
}

// ref points at a component of the document.
func ref(kind, name string) object {
	return object{"$ref": "#/components/" + kind + "/" + name}
}

const schemaPrefix = "#/components/schemas/"

// refersTo is the name of the schema that an object refers to, empty when it refers to none.
func refersTo(holder object) string {
	at, _ := holder["$ref"].(string)
	name, ok := strings.CutPrefix(at, schemaPrefix)
	if !ok {
		return ""
	}
	return name
}

// references visits every object at or below a node that refers to a schema, with the schema's name.
func references(node any, visit func(holder object, name string)) {
	switch node := node.(type) {
	case object:
		if name := refersTo(node); name != "" {
			visit(node, name)
		}
		for _, member := range node {
			references(member, visit)
		}
	case []any:
		for _, element := range node {
			references(element, visit)
		}
	}
}

// copyOf is a node with everything below it, which can be changed without changing the original.
func copyOf(node any) any {
	switch node := node.(type) {
	case object:
		other := make(object, len(node))
		for name, member := range node {
			other[name] = copyOf(member)
		}
		return other
	case []any:
		other := make([]any, len(node))
		for i, element := range node {
			other[i] = copyOf(element)
		}
		return other
	default:
		return node
	}
}

// operation is one method of one path.
type operation struct {
	method string // get, post, ...
	id     string // Service_Method, with _1 and so on for further bindings of the same RPC
	body   object
}

// operations lists all operations of a document, sorted by operationId.
func operations(doc object) ([]operation, error) {
	paths, err := child(doc, "paths")
	if err != nil {
		return nil, err
	}
	var all []operation
	for path := range paths {
		item, err := child(paths, path)
		if err != nil {
			return nil, err
		}
		for method := range item {
			body, err := child(item, method)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			id, ok := body["operationId"].(string)
			if !ok {
				return nil, fmt.Errorf("%s %s has no operationId", method, path)
			}
			all = append(all, operation{method: method, id: id, body: body})
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return all, nil
}

// bindingSuffix is what the generator appends to the operationId of the second and later bindings of an RPC.
var bindingSuffix = regexp.MustCompile(`_\d+$`)

// rpc is the operationId of the first binding of the operation's RPC.
func (o operation) rpc(facts contract) string {
	if facts.requests[o.id] != "" {
		return o.id
	}
	return bindingSuffix.ReplaceAllString(o.id, "")
}

// hasQuery reports whether the operation takes a query parameter.
func (o operation) hasQuery(name string) bool {
	list, _ := o.body["parameters"].([]any)
	return slices.ContainsFunc(list, func(p any) bool {
		parameter, _ := p.(object)
		return parameter["in"] == "query" && parameter["name"] == name
	})
}

// addParameter appends a parameter to an operation.
func (o operation) addParameter(parameter object) error {
	list, ok := o.body["parameters"].([]any)
	if !ok && o.body["parameters"] != nil {
		return fmt.Errorf("%s: parameters is no list", o.id)
	}
	o.body["parameters"] = append(list, parameter)
	return nil
}
