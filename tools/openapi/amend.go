package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// amendment is one thing that the generator gets wrong or cannot know.
type amendment struct {
	name  string
	apply func(object, contract) error
}

// amendments lists what is done to the merged document, in order.
func amendments() []amendment {
	return []amendment{
		{"exactly one arm", requireOneArm},
		{"answers apart from requests", describeAnswers},
		{"rules of requests", stateRules},
		{"summaries", shortenSummaries},
		{"answers of a placing call", describePlacing},
		{"streams", describeStreams},
		{"errors", describeErrors},
		{"deadline header", addDeadline},
		{"trace header", addRequestID},
	}
}

// requireOneArm drops the branch of a oneOf that allows no arm at all. The generator writes it because a proto oneof may
// be empty; those of the contract's choices may not. What remains is one branch an arm, titled with the arm's name.
func requireOneArm(doc object, facts contract) error {
	schemas, err := child(doc, "components", "schemas")
	if err != nil {
		return err
	}
	for _, message := range slices.Sorted(maps.Keys(facts.choices)) {
		if _, published := schemas[message]; !published && message != orderMessage {
			continue // A request whose fields are parameters has no schema.
		}
		schema, err := child(schemas, message)
		if err != nil {
			return err
		}
		branches, _ := schema["oneOf"].([]any)
		if schema["oneOf"], err = armsOnly(branches, facts.choices[message]); err != nil {
			return fmt.Errorf("oneOf of %s: %w", message, err)
		}
	}
	return nil
}

// armsOnly checks that branches are one for no arm and then one for each arm in order, and returns the latter.
func armsOnly(branches []any, arms []string) ([]any, error) {
	if len(branches) != len(arms)+1 {
		return nil, fmt.Errorf("expected a branch for each of %d arms and one for none of them, found %d", len(arms), len(branches))
	}
	if none, ok := branches[0].(object); !ok || none["not"] == nil {
		return nil, errors.New("expected the first branch to be the one for no arm")
	}
	for i, arm := range arms {
		branch, _ := branches[i+1].(object)
		if required, _ := branch["required"].([]any); len(required) != 1 || required[0] != arm {
			return nil, fmt.Errorf("expected branch %d to require %s and nothing else, found %v", i+1, arm, required)
		}
		branch["title"] = arm
	}
	return branches[1:], nil
}

// describePlacing adds to every call that places an order what the gateway does beside the RPC: the idempotency key as a
// header, and 202 for an order of which it is not known yet whether the carrier has it.
func describePlacing(doc object, _ contract) error {
	all, err := operations(doc)
	if err != nil {
		return err
	}
	found := false
	for _, op := range all {
		if op.method != "post" || !op.hasQuery("requestId") {
			continue
		}
		found = found || op.id == placingRPC
		if err := op.describePlacing(); err != nil {
			return fmt.Errorf("%s: %w", op.id, err)
		}
	}
	if !found {
		return fmt.Errorf("no operation %s that takes a requestId", placingRPC)
	}
	return nil
}

func (o operation) describePlacing() error {
	responses, err := child(o.body, "responses")
	if err != nil {
		return err
	}
	done, err := child(responses, "200")
	if err != nil {
		return err
	}
	pending := maps.Clone(done)
	done["description"] = "The order stands as its state says: ACCEPTED, or, with validateOnly, not placed at all."
	pending["description"] = "The order is SENDING or IN_DOUBT: whether the carrier has it is not known yet. It is not sent " +
		"again by itself. Follow it with GET /v1/port-ins/{order_id}, or repeat this call with the same key."
	if err := put(responses, "202", pending); err != nil {
		return fmt.Errorf("responses: %w", err)
	}
	return o.addParameter(object{
		"name":     "Idempotency-Key",
		"in":       "header",
		"required": false,
		"description": "The order's idempotency key, any UUID but the zero one: a call repeated with the same key never places a " +
			"second order. The same as requestId in the query; one of the two is required unless validateOnly is true, and " +
			"when both are given they must be equal.",
		"schema": object{"type": "string", "format": "uuid"},
	})
}

// describeStreams gives server streams the media types that the gateway writes them as: a line of JSON a message, or an
// event a message for a browser's EventSource.
func describeStreams(doc object, facts contract) error {
	all, err := operations(doc)
	if err != nil {
		return err
	}
	missing := maps.Clone(facts.streams)
	for _, stream := range all {
		rpc := stream.rpc(facts)
		if !facts.streams[rpc] {
			continue
		}
		delete(missing, rpc)
		response, err := child(stream.body, "responses", "200")
		if err != nil {
			return fmt.Errorf("%s: %w", stream.id, err)
		}
		content, err := child(response, "content", "application/json")
		if err != nil {
			return fmt.Errorf("%s: %w", stream.id, err)
		}
		response["content"] = object{"application/x-ndjson": content, "text/event-stream": content}
		if err := stream.addParameter(object{
			"name":     "Last-Event-ID",
			"in":       "header",
			"required": false,
			"description": "The id of the last server-sent event that was received, with which a browser comes back by itself. It is a " +
				"resumeToken, and wins over the one in the query.",
			"schema": object{"type": "string"},
		}); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("no operation for the streams %v", slices.Sorted(maps.Keys(missing)))
	}
	return nil
}

// shortenSummaries leaves an operation's summary its first sentence; the rest begins the description. The generator takes
// the first paragraph of the RPC's comment, which is too long for the one line that a summary is shown on.
func shortenSummaries(doc object, _ contract) error {
	all, err := operations(doc)
	if err != nil {
		return err
	}
	for _, op := range all {
		paragraph, ok := op.body["summary"].(string)
		if !ok {
			return fmt.Errorf("%s has no summary; is the RPC without a comment?", op.id)
		}
		first, rest, more := strings.Cut(strings.ReplaceAll(paragraph, "\n", " "), ". ")
		op.body["summary"] = strings.TrimSuffix(first, ".") + "."
		if !more {
			continue
		}
		if description, ok := op.body["description"].(string); ok {
			rest += "\n\n" + description
		}
		op.body["description"] = rest
	}
	return nil
}

// addDeadline documents the header with which a caller says how long it waits, on every call.
func addDeadline(doc object, _ contract) error {
	return addEverywhere(doc, "Deadline", object{
		"name": "Grpc-Timeout", "in": "header", "required": false, "schema": object{"type": "string", "pattern": "^[0-9]{1,8}[HMSmun]$"},
		"description": "How long the caller waits: a whole number above 0 and a unit, H, M, S, m (milliseconds), u or n. 70S for placing an " +
			"order: with less than 5 seconds left it is not sent.",
	})
}

// addEverywhere adds a parameter to every call.
func addEverywhere(doc object, component string, parameter object) error {
	parameters, err := grow(doc, "components", "parameters")
	if err != nil {
		return err
	}
	if err := put(parameters, component, parameter); err != nil {
		return err
	}
	all, err := operations(doc)
	if err != nil {
		return err
	}
	for _, op := range all {
		if err := op.addParameter(ref("parameters", component)); err != nil {
			return err
		}
	}
	return nil
}

// addRequestID documents the trace header on every call and every answer.
func addRequestID(doc object, _ contract) error {
	const (
		component   = "RequestId"
		header      = "x-request-id"
		description = "Names this call in logs and traces, on both sides. It is not the idempotency key."
	)
	if err := addEverywhere(doc, component, object{
		"name": header, "in": "header", "required": false, "schema": object{"type": "string", "maxLength": 128},
		"description": description + " Left out, the service makes one.",
	}); err != nil {
		return err
	}
	headers, err := grow(doc, "components", "headers")
	if err != nil {
		return err
	}
	if err := put(headers, component, object{"description": description, "schema": object{"type": "string"}}); err != nil {
		return err
	}
	all, err := operations(doc)
	if err != nil {
		return err
	}
	for _, op := range all {
		if err := addHeader(op.body, header, ref("headers", component)); err != nil {
			return fmt.Errorf("%s: %w", op.id, err)
		}
	}
	components, err := child(doc, "components")
	if err != nil {
		return err
	}
	return addHeader(components, header, ref("headers", component))
}

// addHeader adds a header to every response that stands in the responses of an operation or of the components.
func addHeader(to object, name string, value object) error {
	responses, err := child(to, "responses")
	if err != nil {
		return err
	}
	for _, status := range slices.Sorted(maps.Keys(responses)) {
		response, err := child(responses, status)
		if err != nil {
			return err
		}
		if _, elsewhere := response["$ref"]; elsewhere {
			continue
		}
		headers, err := grow(response, "headers")
		if err != nil {
			return err
		}
		if err := put(headers, name, value); err != nil {
			return fmt.Errorf("%s: headers: %w", status, err)
		}
	}
	return nil
}
