package main

import (
	"fmt"
	"slices"
	"strconv"
)

const (
	statusSchema = "google.rpc.Status"
	typePrefix   = "type.googleapis.com/"
)

// failure is an error status that the JSON face answers with.
type failure struct {
	status      int
	component   string // name of the response in components
	description string
	reason      string // the one reason that it stands for; empty when there are several
	withBody    bool   // only calls with a request body can meet it
	header      string // comes with a response header of this name
}

// failureHeaders describes the headers that come with a failure, beside the trace header that comes with every answer.
var failureHeaders = map[string]object{
	"Allow": {"description": "The methods that the path takes.", "schema": object{"type": "string"}},
	"Retry-After": {
		"description": "Whole seconds to wait, rounded up from RetryInfo; absent without one.",
		"schema":      object{"type": "integer", "minimum": 1},
	},
	"WWW-Authenticate": {"description": "How to say who calls.", "schema": object{"type": "string"}},
}

// failures lists the error statuses of the JSON face. internal/gateway is where they come from; its tests hold both
// together.
func failures() []failure {
	return []failure{
		{status: 400, component: "BadRequest", description: "The request is malformed or breaks a rule of its fields, or the " +
			"carrier found it invalid. Nothing was ordered; BadRequest names the fields in the spelling of the JSON body."},
		{status: 401, component: "Unauthorized", header: "WWW-Authenticate", description: "No identity, or one that is not known."},
		{status: 403, component: "Forbidden", description: "The identity may not do this."},
		{status: 404, component: "NotFound", description: "No such thing, or no such path."},
		{status: 405, component: "MethodNotAllowed", reason: "METHOD_NOT_ALLOWED", header: "Allow", description: "The path takes " +
			"another method. It stands here because a path has no responses of its own."},
		{status: 409, component: "Conflict", withBody: true, description: "The idempotency key was used for another order, or " +
			"another open order holds one of the numbers."},
		{status: 413, component: "ContentTooLarge", reason: "REQUEST_TOO_LARGE", withBody: true, description: "The body is " +
			"larger than the service takes."},
		{status: 415, component: "UnsupportedMediaType", reason: "UNSUPPORTED_MEDIA_TYPE", withBody: true, description: "The " +
			"body is not declared as application/json in UTF-8, or it is compressed."},
		{status: 422, component: "UnprocessableContent", description: "The request is well-formed, and the carrier refused it " +
			"or the service's account at the carrier does not allow it."},
		{status: 429, component: "TooManyRequests", header: "Retry-After", description: "A rate limit, the service's or the " +
			"carrier's. Nothing was ordered; RetryInfo says when to come back."},
		{status: 500, component: "InternalServerError", description: "A fault of the service. Repeat with the same key."},
		{status: 501, component: "NotImplemented", reason: "NOT_OFFERED", description: "This version of the service does not " +
			"offer the call."},
		{status: 503, component: "ServiceUnavailable", header: "Retry-After", description: "The service or the carrier cannot be " +
			"reached. Nothing was ordered; RetryInfo says when to come back, with the same key."},
		{status: 504, component: "GatewayTimeout", description: "The time was up. Repeat with the same key."},
	}
}

// describeErrors gives every operation the error statuses that it can answer with, and google.rpc.Status the details
// that the service really attaches, so that a client generator makes types of them.
func describeErrors(doc object, facts contract) error {
	responses, err := grow(doc, "components", "responses")
	if err != nil {
		return err
	}
	for _, failure := range failures() {
		response, err := failure.response(facts)
		if err != nil {
			return err
		}
		if err := put(responses, failure.component, response); err != nil {
			return err
		}
	}
	all, err := operations(doc)
	if err != nil {
		return err
	}
	for _, op := range all {
		of, err := child(op.body, "responses")
		if err != nil {
			return fmt.Errorf("%s: %w", op.id, err)
		}
		for _, failure := range failures() {
			if failure.withBody && op.body["requestBody"] == nil {
				continue
			}
			if err := put(of, strconv.Itoa(failure.status), ref("responses", failure.component)); err != nil {
				return fmt.Errorf("%s: responses: %w", op.id, err)
			}
		}
	}
	return typeDetails(doc, facts)
}

// response describes the failure, for the components.
func (f failure) response(facts contract) (object, error) {
	response := object{
		"description": f.description,
		"content":     object{"application/json": object{"schema": ref("schemas", statusSchema)}},
	}
	if f.reason != "" {
		if !slices.Contains(facts.reasons, f.reason) {
			return nil, fmt.Errorf("%s: no reason %s in the contract", f.component, f.reason)
		}
		response["description"] = f.description + " The reason is " + f.reason + "."
	}
	if f.header != "" {
		header, ok := failureHeaders[f.header]
		if !ok {
			return nil, fmt.Errorf("%s: no description of the header %s", f.component, f.header)
		}
		response["headers"] = object{f.header: header}
	}
	return response, nil
}

// typeDetails replaces the open details of google.rpc.Status by the three messages that errors carry.
func typeDetails(doc object, facts contract) error {
	schemas, err := child(doc, "components", "schemas")
	if err != nil {
		return err
	}
	details, err := child(schemas, statusSchema, "properties", "details")
	if err != nil {
		return err
	}
	if _, err := child(details, "items"); err != nil {
		return err
	}
	var variants []any
	mapping := object{}
	for _, detail := range detailSchemas(facts) {
		if err := put(schemas, detail.name, detail.schema); err != nil {
			return err
		}
		at := ref("schemas", detail.name)
		variants = append(variants, at)
		mapping[typePrefix+detail.name] = at["$ref"]
	}
	details["description"] = "Exactly one ErrorInfo, a BadRequest with input errors, a RetryInfo when waiting helps."
	details["items"] = object{
		"oneOf":         variants,
		"discriminator": object{"propertyName": "@type", "mapping": mapping},
	}
	return nil
}

// detail is a message that can stand among a status's details.
type detail struct {
	name   string
	schema object
}

func detailSchemas(facts contract) []detail {
	reasons := make([]any, 0, len(facts.reasons))
	for _, reason := range facts.reasons {
		reasons = append(reasons, reason)
	}
	text := object{"type": "string"}
	return []detail{
		newDetail("google.rpc.ErrorInfo", "Why the call failed, for programs.", object{
			"reason": object{"type": "string", "enum": reasons, "description": "The name of a " + reasonEnum +
				" without its prefix."},
			"domain": object{"type": "string", "const": contractPackage},
			"metadata": object{"type": "object", "additionalProperties": text, "description": "Facts about the failure, such as " +
				"order_id, carrier_error_id or violations_total."},
		}, "reason", "domain"),
		newDetail("google.rpc.BadRequest", "The fields that are wrong, the first 16 in the order of the contract.", object{
			"fieldViolations": object{"type": "array", "items": object{
				"type": "object",
				"properties": object{
					"field": object{"type": "string", "description": "Path of the field, as the body spells it: " +
						"trunkDid.dids[2].number. Parameters keep their own name; a missing target is target."},
					"description": object{"type": "string", "description": "What is wrong, and what would be right."},
					"reason":      object{"type": "string", "description": "The rule that is broken, for programs."},
				},
				"required": []any{"field", "description"},
			}},
		}, "fieldViolations"),
		newDetail("google.rpc.RetryInfo", "When to come back.", object{
			"retryDelay": object{"type": "string", "description": "Seconds, with an s: 2s or 0.500s."},
		}, "retryDelay"),
	}
}

// newDetail describes a message as protojson writes it inside an Any: its own fields beside @type.
func newDetail(name, description string, properties object, required ...any) detail {
	properties["@type"] = object{"type": "string", "const": typePrefix + name}
	return detail{name: name, schema: object{
		"type": "object", "description": description, "properties": properties, "required": append([]any{"@type"}, required...),
	}}
}
