package gateway

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// callersPath spells a field path of the service as the caller of the route writes it: the service says
// `order.trunk_did.dids[2].number`, relative to the request and with proto names; the caller has `trunkDid.dids[2].number`
// in the body and `requestId` in the query. The body itself is called `body`. What the descriptors do not know stays as
// it is.
func (r *route) callersPath(path string) string {
	if path == "" {
		return ""
	}
	var spelled []string
	message := r.input
	for i, segment := range strings.Split(path, ".") {
		name, index, hasIndex := strings.Cut(segment, "[")
		field, spelling := nameIn(message, protoreflect.Name(name))
		message = nil
		if field != nil {
			message = field.Message()
		}
		if i == 0 && r.bodyField != nil && field == r.bodyField {
			continue
		}
		if hasIndex {
			spelling += "[" + index
		}
		spelled = append(spelled, spelling)
	}
	if len(spelled) == 0 {
		return "body"
	}
	return strings.Join(spelled, ".")
}

// nameIn finds a field by its proto name and says its JSON name. A oneof has no name in JSON; a violation of it is told
// under its own name, which a missing `target` makes plain enough.
func nameIn(message protoreflect.MessageDescriptor, name protoreflect.Name) (protoreflect.FieldDescriptor, string) {
	if message == nil {
		return nil, string(name)
	}
	if field := message.Fields().ByName(name); field != nil {
		return field, field.JSONName()
	}
	return nil, string(name)
}

// rewriteAnswer is the mux's rewriter: it spells the field paths of an answer's warnings and rejects as the caller of PortIn
// over JSON writes them. The message is the client's own copy, so it is changed in place.
func (g *gateway) rewriteAnswer(_ context.Context, answer proto.Message) (any, error) {
	placing := g.routes.byRPC[portinv1.PortInService_PortIn_FullMethodName]
	respell := func(rejects []*portinv1.Reject) {
		for _, reject := range rejects {
			reject.Field = placing.callersPath(reject.GetField())
		}
	}
	for _, order := range ordersIn(answer) {
		for _, warning := range order.GetWarnings() {
			warning.Field = placing.callersPath(warning.GetField())
		}
		respell(order.GetRejects())
	}
	if status, ok := answer.ProtoReflect().Interface().(*portinv1.GetPortInStatusResponse); ok {
		respell(status.GetStatus().GetRejects())
	}
	return answer, nil
}

// ordersIn are the orders of an answer. The mux wraps an answer of which only one field is written; the reflected message
// is the one inside.
func ordersIn(answer proto.Message) []*portinv1.PortInOrder {
	switch m := answer.ProtoReflect().Interface().(type) {
	case *portinv1.ListPortInOrdersResponse:
		return m.GetOrders()
	case interface{ GetOrder() *portinv1.PortInOrder }:
		return []*portinv1.PortInOrder{m.GetOrder()}
	}
	return nil
}
