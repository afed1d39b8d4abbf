package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// stateRules writes the rules of the contract into what requests are made of: parameters, and the schemas of bodies.
// Answers are not held to them. What an answer carries may have been taken under other rules, or somewhere else.
func stateRules(doc object, facts contract) error {
	schemas, err := child(doc, "components", "schemas")
	if err != nil {
		return err
	}
	asked, _, err := reached(doc)
	if err != nil {
		return err
	}
	for _, message := range slices.Sorted(maps.Keys(facts.rules)) {
		if !asked[message] {
			continue
		}
		for _, rule := range facts.rules[message] {
			schema, err := child(schemas, message, "properties", rule.member)
			if err != nil {
				return err
			}
			if err := rule.on(schema, schemas); err != nil {
				return fmt.Errorf("%s.%s: %w", message, rule.field, err)
			}
		}
	}
	return stateRequestRules(doc, schemas, facts)
}

// stateRequestRules does it for the messages that are requests themselves. They have no schema: their fields are
// parameters and members of bodies, here with one binding of the RPC and there with another.
func stateRequestRules(doc, schemas object, facts contract) error {
	all, err := operations(doc)
	if err != nil {
		return err
	}
	stated := map[string]bool{}
	for _, op := range all {
		message, ok := facts.requests[op.rpc(facts)]
		if !ok {
			return fmt.Errorf("%s is no RPC of the contract", op.id)
		}
		for _, rule := range facts.rules[message] {
			schema, err := op.input(rule)
			if err != nil {
				return fmt.Errorf("%s: %w", op.id, err)
			}
			if schema == nil {
				continue
			}
			stated[message+"."+rule.field] = true
			if err := rule.on(schema, schemas); err != nil {
				return fmt.Errorf("%s: %s: %w", op.id, rule.field, err)
			}
		}
	}
	for _, message := range slices.Sorted(maps.Values(facts.requests)) {
		for _, rule := range facts.rules[message] {
			if name := message + "." + rule.field; !stated[name] {
				return fmt.Errorf("no parameter and no member of a body for %s", name)
			}
		}
	}
	return nil
}

// input is the schema of a parameter, or of a member of a body that has no schema of its own; nil when the operation has
// none for the rule's field.
func (o operation) input(r rule) (object, error) {
	list, _ := o.body["parameters"].([]any)
	for _, entry := range list {
		parameter, _ := entry.(object)
		in, name := parameter["in"], parameter["name"]
		if in == "path" && name == r.field || in == "query" && name == r.member {
			return child(parameter, "schema")
		}
	}
	if o.body["requestBody"] == nil {
		return nil, nil
	}
	body, err := child(o.body, "requestBody", "content", "application/json", "schema")
	if err != nil {
		return nil, err
	}
	properties, _ := body["properties"].(object)
	member, _ := properties[r.member].(object)
	return member, nil
}

// on writes the rule into the schema of its field. Schemas are those that it may refer to.
func (r rule) on(schema, schemas object) error {
	for _, keyword := range slices.Sorted(maps.Keys(r.keywords)) {
		if err := put(schema, keyword, r.keywords[keyword]); err != nil {
			return err
		}
	}
	if r.orNumber {
		if schema["type"] != "string" {
			return fmt.Errorf("expected the type string, found %v", schema["type"])
		}
		schema["type"] = []any{"string", "integer"}
	}
	if len(r.notes) > 0 {
		description, _ := schema["description"].(string)
		schema["description"] = strings.TrimSpace(description + " " + strings.Join(r.notes, " "))
	}
	if len(r.without) > 0 {
		if err := r.narrow(schema, schemas); err != nil {
			return err
		}
	}
	if r.items == nil {
		return nil
	}
	items, err := child(schema, "items")
	if err != nil {
		return err
	}
	return r.items.on(items, schemas)
}

// narrow lists, beside the reference to an enum, the values that are left of it. The enum itself stays whole: answers
// have all of it.
func (r rule) narrow(schema, schemas object) error {
	name := refersTo(schema)
	enum, err := child(schemas, name)
	if err != nil {
		return fmt.Errorf("the reference to an enum: %w", err)
	}
	values, _ := enum["enum"].([]any)
	left := slices.DeleteFunc(slices.Clone(values), func(value any) bool {
		refused, _ := value.(string)
		return slices.Contains(r.without, refused)
	})
	if len(left) != len(values)-len(r.without) {
		return fmt.Errorf("expected %v among the values %v", r.without, values)
	}
	delete(schema, "$ref")
	schema["allOf"] = []any{ref("schemas", name)}
	return put(schema, "enum", left)
}
