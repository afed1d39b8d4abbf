package sandbox

import (
	"bytes"
	_ "embed"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// specification is the carrier's API as its documentation has it.
//
//go:embed upstream/ucontrol.openapi.yaml
var specification []byte

// spec is the specification made ready to route and to check with.
type spec struct {
	operations []*operation // in the order of their paths
	schemas    map[string]*schema
}

// operation is one method of one path.
type operation struct {
	method, path string   // as the specification writes them: POST, /v2/…/{tn}/…
	segments     []string // of the path, a parameter in braces
	request      *schema  // nil when it takes no body
	response     *schema  // of status 200

	order  *orderKind // set when it places an order
	lookup lookup     // set when it answers a question
}

// specFile is the file's own shape. What routing and checking do not need is
// read as any; an unknown keyword elsewhere is an error.
type specFile struct {
	OpenAPI    string                              `yaml:"openapi"`
	Info       any                                 `yaml:"info"`
	Servers    any                                 `yaml:"servers"`
	Security   any                                 `yaml:"security"`
	Paths      map[string]map[string]specOperation `yaml:"paths"`
	Components struct {
		SecuritySchemes any                `yaml:"securitySchemes"`
		Schemas         map[string]*schema `yaml:"schemas"`
	} `yaml:"components"`
}

type specOperation struct {
	Summary     string       `yaml:"summary"`
	Parameters  any          `yaml:"parameters"`
	RequestBody specBody     `yaml:"requestBody"`
	Responses   specResponse `yaml:"responses"`
}

type specBody struct {
	Description string `yaml:"description"`
	Required    bool   `yaml:"required"`
	Content     struct {
		JSON struct {
			Schema *schema `yaml:"schema"`
		} `yaml:"application/json"`
	} `yaml:"content"`
}

type specResponse struct {
	OK      specBody `yaml:"200"`
	Default specBody `yaml:"default"`
}

// loadSpec reads the embedded specification, once: nobody changes it afterwards.
var loadSpec = sync.OnceValues(func() (*spec, error) {
	return readSpec(specification, orderKinds, lookups)
})

// readSpec reads a specification and gives every operation its handler. An
// operation without one, or a handler without an operation, is an error: the
// sandbox answers the whole API or does not start.
func readSpec(text []byte, orders map[string]orderKind, lookups map[string]lookup) (*spec, error) {
	var file specFile
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("sandbox: reading the specification: %w", err)
	}
	s := &spec{schemas: file.Components.Schemas}
	for _, path := range sortedKeys(file.Paths) {
		for _, method := range sortedKeys(file.Paths[path]) {
			written := file.Paths[path][method]
			s.operations = append(s.operations, &operation{
				method:   strings.ToUpper(method),
				path:     path,
				segments: strings.Split(path, "/"),
				request:  written.RequestBody.Content.JSON.Schema,
				response: written.Responses.OK.Content.JSON.Schema,
			})
		}
	}
	if err := s.resolve(); err != nil {
		return nil, fmt.Errorf("sandbox: reading the specification: %w", err)
	}
	if err := s.assign(orders, lookups); err != nil {
		return nil, err
	}
	return s, nil
}

// assign gives the operations their handlers, and finds what does not pair up.
func (s *spec) assign(orders map[string]orderKind, lookups map[string]lookup) error {
	found := map[string]bool{}
	for _, op := range s.operations {
		name := op.method + " " + op.path
		found[name] = true
		kind, isOrder := orders[name]
		look, isLookup := lookups[name]
		switch {
		case isOrder:
			op.order = &kind
		case isLookup:
			op.lookup = look
		default:
			return fmt.Errorf("sandbox: the specification has %s, which has no handler", name)
		}
	}
	for _, name := range slices.Concat(sortedKeys(orders), sortedKeys(lookups)) {
		if !found[name] {
			return fmt.Errorf("sandbox: %s has a handler but is not in the specification", name)
		}
	}
	return nil
}

// resolve points every reference at its schema.
func (s *spec) resolve() error {
	for _, op := range s.operations {
		for _, root := range []*schema{op.request, op.response} {
			if err := s.resolveSchema(root); err != nil {
				return fmt.Errorf("%s %s: %w", op.method, op.path, err)
			}
		}
	}
	for _, name := range sortedKeys(s.schemas) {
		if err := s.resolveSchema(s.schemas[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (s *spec) resolveSchema(at *schema) error {
	if at == nil {
		return nil
	}
	if at.Ref != "" {
		at.target = s.schemas[strings.TrimPrefix(at.Ref, "#/components/schemas/")]
		if at.target == nil {
			return fmt.Errorf("%s points at nothing", at.Ref)
		}
		return nil
	}
	for _, name := range sortedKeys(at.Properties) {
		if err := s.resolveSchema(at.Properties[name]); err != nil {
			return err
		}
	}
	return s.resolveSchema(at.Items)
}

// match finds the operation for a method and an escaped path, exactly as the
// specification writes it: no case folding, no trailing slash, the /v2 prefix
// where the carrier has it and nowhere else. Without an operation, allowed lists
// the methods that the path does have.
func (s *spec) match(method, escaped string) (op *operation, params map[string]string, allowed []string) {
	parts := strings.Split(escaped, "/")
	for _, candidate := range s.operations {
		params, ok := candidate.params(parts)
		if !ok {
			continue
		}
		if candidate.method == method {
			return candidate, params, nil
		}
		allowed = append(allowed, candidate.method)
	}
	return nil, nil, allowed
}

// params matches a path against the operation's and takes its parameters out.
func (op *operation) params(parts []string) (map[string]string, bool) {
	if len(parts) != len(op.segments) {
		return nil, false
	}
	params := map[string]string{}
	for i, segment := range op.segments {
		name, isParam := strings.CutPrefix(segment, "{")
		value, err := url.PathUnescape(parts[i])
		switch {
		case err != nil || value == "" && isParam:
			return nil, false
		case isParam:
			params[strings.TrimSuffix(name, "}")] = value
		case value != segment:
			return nil, false
		}
	}
	return params, true
}
