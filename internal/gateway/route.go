package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// route is one HTTP binding of one RPC, read from its google.api.http option. It does not change.
type route struct {
	// rpc is the full name of the RPC as gRPC spells it: "/portin.v1.PortInService/PortIn".
	rpc string
	// verb and template are the HTTP method and the path: "POST", "/v1/port-ins".
	verb, template string
	// input is the message that the path, the query and the body fill.
	input protoreflect.MessageDescriptor
	// inputType makes one.
	inputType protoreflect.MessageType
	// bodyField is the field of input that the body is. It is nil when the body is all of input, and without a body.
	bodyField protoreflect.FieldDescriptor
	// bodyType makes what the body is decoded into. It is nil for a call without a body.
	bodyType protoreflect.MessageType
	// outputType makes an answer.
	outputType protoreflect.MessageType
	// query holds the fields that may stand in the query, under their JSON names and their proto names.
	query map[string]protoreflect.FieldDescriptor
	// streams is whether the answer is a stream.
	streams bool
}

// routes are all bindings of the contract, by verb and by the pattern that the mux made of the template.
type routes struct {
	all       []*route
	byPattern map[string]*route
	byRPC     map[string]*route
}

// readRoutes reads the bindings of all services. It fails on a binding that this package would read otherwise than the
// mux does, and joins all failures.
func readRoutes() (*routes, error) {
	r := &routes{byPattern: map[string]*route{}, byRPC: map[string]*route{}}
	var problems []error
	for _, s := range services {
		methods := s.file.Services().ByName(s.name).Methods()
		for i := range methods.Len() {
			method := methods.Get(i)
			rule, _ := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
			for _, rule := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
				route, err := newRoute(method, rule)
				if err != nil {
					problems = append(problems, fmt.Errorf("%s: %w", method.FullName(), err))
					continue
				}
				r.all = append(r.all, route)
				r.byPattern[route.verb+" "+patternOf(route.template)] = route
				r.byRPC[route.rpc] = route
			}
		}
	}
	return r, errors.Join(problems...)
}

func newRoute(method protoreflect.MethodDescriptor, rule *annotations.HttpRule) (*route, error) {
	r := &route{
		rpc:     fmt.Sprintf("/%s/%s", method.Parent().FullName(), method.Name()),
		input:   method.Input(),
		query:   map[string]protoreflect.FieldDescriptor{},
		streams: method.IsStreamingServer(),
	}
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		r.verb, r.template = http.MethodGet, p.Get
	case *annotations.HttpRule_Post:
		r.verb, r.template = http.MethodPost, p.Post
	case *annotations.HttpRule_Patch:
		r.verb, r.template = http.MethodPatch, p.Patch
	case *annotations.HttpRule_Delete:
		r.verb, r.template = http.MethodDelete, p.Delete
	default:
		return nil, errors.New("has no HTTP binding with GET, POST, PATCH or DELETE")
	}
	if strings.ContainsAny(r.template, "*=") {
		return nil, fmt.Errorf("the template %s has a wildcard", r.template)
	}

	bound := map[protoreflect.Name]bool{}
	for segment := range strings.SplitSeq(r.template, "/") {
		if name, ok := variable(segment); ok {
			bound[protoreflect.Name(name)] = true
		}
	}
	body := r.input
	if name := protoreflect.Name(rule.GetBody()); name != "" && name != "*" {
		r.bodyField = r.input.Fields().ByName(name)
		bound[name] = true
		body = r.bodyField.Message()
	}
	var err error
	if r.inputType, err = protoregistry.GlobalTypes.FindMessageByName(r.input.FullName()); err != nil {
		return nil, fmt.Errorf("finding the request: %w", err)
	}
	if rule.GetBody() != "" {
		if r.bodyType, err = protoregistry.GlobalTypes.FindMessageByName(body.FullName()); err != nil {
			return nil, fmt.Errorf("finding the body: %w", err)
		}
	}
	if r.outputType, err = protoregistry.GlobalTypes.FindMessageByName(method.Output().FullName()); err != nil {
		return nil, fmt.Errorf("finding the answer: %w", err)
	}
	if rule.GetBody() != "*" {
		r.readQueryFields(bound)
	}
	return r, nil
}

// readQueryFields notes the fields that neither the path nor the body gives. A field whose oneof the path has set is
// none of them.
func (r *route) readQueryFields(bound map[protoreflect.Name]bool) {
	fields := r.input.Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		taken := bound[field.Name()]
		if oneof := field.ContainingOneof(); oneof != nil {
			for j := range oneof.Fields().Len() {
				taken = taken || bound[oneof.Fields().Get(j).Name()]
			}
		}
		if !taken {
			r.query[field.JSONName()], r.query[field.TextName()] = field, field
		}
	}
}

// takesKey reports whether the call places something and has an idempotency key, which may stand in a header.
func (r *route) takesKey() bool {
	return r.verb == http.MethodPost && r.query["requestId"] != nil
}

// variable is the field that a segment of a template binds: "order_id" for "{order_id}:resolveInDoubt".
func variable(segment string) (string, bool) {
	name, _, ok := strings.Cut(segment, "}")
	return strings.TrimPrefix(name, "{"), ok
}

// patternOf spells a template as runtime.Pattern does: "/v1/port-ins/{order_id=*}".
func patternOf(template string) string {
	return strings.ReplaceAll(template, "}", "=*}")
}

// matches reports whether a path, escaped as it came, is one of the route's.
func (r *route) matches(path string) bool {
	verb := ""
	template := r.template
	if i := strings.LastIndexByte(template, ':'); i >= 0 {
		template, verb = template[:i], template[i:]
	}
	path, found := strings.CutSuffix(path, verb)
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	return found && slices.EqualFunc(want, got, func(want, got string) bool {
		_, isVariable := variable(want)
		return want == got || isVariable && got != ""
	})
}

// of is the route that the mux chose for a request.
func (r *routes) of(req *http.Request) *route {
	pattern, _ := runtime.HTTPPattern(req.Context())
	return r.byPattern[req.Method+" "+pattern.String()]
}

// methods are the HTTP methods that any of the routes takes, sorted.
func (r *routes) methods() []string {
	return r.methodsWhere(func(*route) bool { return true })
}

// methodsOf are the HTTP methods that a path takes, sorted; none when there is no such path. A route with a verb behind
// a colon has its paths for itself.
func (r *routes) methodsOf(path string) []string {
	if own := r.methodsWhere(func(r *route) bool { return strings.Contains(r.template, ":") && r.matches(path) }); len(own) > 0 {
		return own
	}
	return r.methodsWhere(func(r *route) bool { return r.matches(path) })
}

func (r *routes) methodsWhere(is func(*route) bool) []string {
	var verbs []string
	for _, route := range r.all {
		if is(route) {
			verbs = append(verbs, route.verb)
		}
	}
	slices.Sort(verbs)
	return slices.Compact(verbs)
}

type routeKey struct{}

// withRoute returns a context that knows the route of its request.
func withRoute(ctx context.Context, r *route) context.Context {
	return context.WithValue(ctx, routeKey{}, r)
}

// routeFrom is the route of a context's request, nil before it is known.
func routeFrom(ctx context.Context) *route {
	r, _ := ctx.Value(routeKey{}).(*route)
	return r
}
