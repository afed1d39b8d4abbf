package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// openAPIVersion is what the generator writes and what the amendments are written for.
const openAPIVersion = "3.1.0"

// merge makes one document of the raw ones: their paths, schemas and tags side by side. Two documents may describe the
// same schema (every one has google.rpc.Status) only in the same words. What is said about the document as a whole comes
// from the one .proto file that carries the openapiv3_document option, or from info when none does.
func merge(parts []part) (object, error) {
	whole := object{"openapi": openAPIVersion, "paths": object{}, "components": object{}}
	var tags []any
	author := ""
	for _, part := range parts {
		if got := part.doc["openapi"]; got != openAPIVersion {
			return nil, fmt.Errorf("%s: expected OpenAPI %s, found %v", part.name, openAPIVersion, got)
		}
		if err := unite(whole, part.doc, "paths"); err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
		for _, kind := range []string{"schemas", "securitySchemes"} {
			if err := unite(whole, part.doc, "components", kind); err != nil {
				return nil, fmt.Errorf("%s: %w", part.name, err)
			}
		}
		if list, ok := part.doc["tags"].([]any); ok {
			tags = append(tags, list...)
		}
		own, err := child(part.doc, "info")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
		if own["title"] == part.name {
			continue // The generator's own placeholder.
		}
		if author != "" {
			return nil, fmt.Errorf("both %s and %s carry the openapiv3_document option", author, part.name)
		}
		author = part.name
		for _, name := range []string{"info", "servers", "security", "externalDocs"} {
			if value, ok := part.doc[name]; ok {
				whole[name] = value
			}
		}
	}
	if author == "" {
		whole["info"] = info()
	}
	whole["tags"] = distinct(tags)
	return whole, nil
}

// info introduces the API to who opens the document first.
func info() object {
	return object{
		"title":   "portin",
		"version": strings.TrimPrefix(contractPackage, "portin."),
		"summary": "Ports telephone numbers in through the uControl carrier API.",
		"description": "The JSON face of the gRPC services in package " + contractPackage + ". An order is placed exactly once, or " +
			"the caller knows that it was not, or knows that it is not known yet: send every order with an Idempotency-Key, and " +
			"after any error or lost connection repeat it with the same key.\n\nAn order says what its numbers become by " +
			"exactly one target. Field names are camelCase; a field, query parameter or trailing byte that the service does not " +
			"know refuses the whole request.",
	}
}

// unite copies the members of from's object at path into whole's. A member that both have must be the same in both. A
// document without that object has nothing to add.
func unite(whole, from object, path ...string) error {
	source, err := grow(from, path...)
	if err != nil || len(source) == 0 {
		return err
	}
	target, err := grow(whole, path...)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(source)) {
		if have, ok := target[name]; ok && !reflect.DeepEqual(have, source[name]) {
			return fmt.Errorf("%s is described differently by another document", name)
		}
		target[name] = source[name]
	}
	return nil
}

// distinct drops tags that were said before, in the same words or others: the first document to name a tag describes it.
func distinct(tags []any) []any {
	seen := map[any]bool{}
	return slices.DeleteFunc(tags, func(tag any) bool {
		entry, ok := tag.(object)
		if !ok {
			return false
		}
		name := entry["name"]
		again := seen[name]
		seen[name] = true
		return again
	})
}
