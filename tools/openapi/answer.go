package main

import (
	"maps"
	"reflect"
	"slices"
)

// answerSuffix ends the name of a schema that says of answers what the schema without it says of requests.
const answerSuffix = "Answer"

// describeAnswers gives answers schemas of their own where a schema describes both and cannot be true of both: a request
// has to have members, has secrets and keeps rules, and an answer does none of it. A schema that refers to such a one
// is such a one.
func describeAnswers(doc object, facts contract) error {
	schemas, err := child(doc, "components", "schemas")
	if err != nil {
		return err
	}
	asked, answered, err := reached(doc)
	if err != nil {
		return err
	}
	apart, err := tellApart(schemas, asked, answered, facts)
	if err != nil {
		return err
	}
	rename := func(holder object, name string) {
		if apart[name] != nil {
			holder["$ref"] = schemaPrefix + name + answerSuffix
		}
	}
	for _, name := range slices.Sorted(maps.Keys(apart)) {
		references(apart[name], rename)
		description, _ := apart[name]["description"].(string)
		apart[name]["description"] = description + "\n\nThis is how answers have it; requests have " + name + "."
		if err := put(schemas, name+answerSuffix, apart[name]); err != nil {
			return err
		}
	}
	for name := range answered {
		if !asked[name] {
			references(schemas[name], rename)
		}
	}
	all, err := operations(doc)
	if err != nil {
		return err
	}
	for _, op := range all {
		references(op.body["responses"], rename)
	}
	return nil
}

// tellApart returns the schemas that need another one for answers, with that one, whose references are still the old.
func tellApart(schemas object, asked, answered map[string]bool, facts contract) (map[string]object, error) {
	apart := map[string]object{}
	for grown := true; grown; {
		grown = false
		for name := range asked {
			if !answered[name] || apart[name] != nil {
				continue
			}
			schema, err := child(schemas, name)
			if err != nil {
				return nil, err
			}
			answer := answerOf(name, schema, facts)
			differs := len(facts.rules[name]) > 0 || !reflect.DeepEqual(answer, schema)
			references(schema, func(_ object, to string) { differs = differs || apart[to] != nil })
			if differs {
				apart[name], grown = answer, true
			}
		}
	}
	return apart, nil
}

// answerOf is a schema without what only requests keep to: members that must be there, the choice that must be made, and
// members that no answer has.
func answerOf(name string, schema object, facts contract) object {
	answer, _ := copyOf(schema).(object)
	delete(answer, "required")
	if facts.choices[name] != nil {
		delete(answer, "oneOf")
	}
	properties, _ := answer["properties"].(object)
	for member, value := range properties {
		property, _ := value.(object)
		if secret, _ := property["writeOnly"].(bool); secret {
			delete(properties, member)
		}
	}
	return answer
}

// reached returns the names of the schemas that requests are made of, and of those that answers are made of.
func reached(doc object) (asked, answered map[string]bool, err error) {
	schemas, err := child(doc, "components", "schemas")
	if err != nil {
		return nil, nil, err
	}
	all, err := operations(doc)
	if err != nil {
		return nil, nil, err
	}
	asked, answered = map[string]bool{}, map[string]bool{}
	for _, op := range all {
		reach(schemas, op.body["parameters"], asked)
		reach(schemas, op.body["requestBody"], asked)
		reach(schemas, op.body["responses"], answered)
	}
	return asked, answered, nil
}

// reach adds the names of the schemas that a node refers to, directly or through others.
func reach(schemas object, node any, seen map[string]bool) {
	references(node, func(_ object, name string) {
		if !seen[name] {
			seen[name] = true
			reach(schemas, schemas[name], seen)
		}
	})
}
