package sandbox

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// schema is the part of an OpenAPI 3.0 schema object that the carrier's
// specification uses. Reading the specification refuses any keyword that has no
// field here, so that a constraint is never passed over in silence.
type schema struct {
	Ref                  string             `yaml:"$ref"`
	Type                 string             `yaml:"type"`
	Format               string             `yaml:"format"`
	Description          string             `yaml:"description"`
	Enum                 []any              `yaml:"enum"`
	Required             []string           `yaml:"required"`
	Properties           map[string]*schema `yaml:"properties"`
	AdditionalProperties *bool              `yaml:"additionalProperties"`
	Items                *schema            `yaml:"items"`
	MinLength            *int               `yaml:"minLength"`
	MaxLength            *int               `yaml:"maxLength"`

	target *schema // what Ref points at
}

// violation says what is wrong with one member of a body. It names the member
// and never quotes its value: bodies hold names, passwords and documents.
type violation struct {
	at   string // path of the member, "" for the body itself
	says string
}

func (v *violation) Error() string {
	if v.at == "" {
		return "the body: " + v.says
	}
	return v.at + ": " + v.says
}

// violate makes a violation; it is never given what a member holds.
func violate(at, format string, args ...any) error {
	return &violation{at: at, says: fmt.Sprintf(format, args...)}
}

// check holds a decoded value against the schema and returns the first
// violation, or nil. Missing members come before unknown ones, and those before
// the members' own values, each in the order of their names.
func (s *schema) check(at string, value any) error {
	if s.Ref != "" {
		return s.target.check(at, value)
	}
	switch s.Type {
	case "object":
		return s.checkObject(at, value)
	case "array":
		list, ok := value.([]any)
		if !ok {
			return s.wrongType(at, value)
		}
		for i, item := range list {
			if err := s.Items.check(index(at, i), item); err != nil {
				return err
			}
		}
		return nil
	case "string":
		return s.checkString(at, value)
	case "integer":
		return s.checkInteger(at, value)
	case "number":
		number, ok := value.(json.Number)
		if !ok {
			return s.wrongType(at, value)
		}
		if f, err := number.Float64(); err != nil || math.IsInf(f, 0) {
			return violate(at, "the number is out of range")
		}
		return nil
	case "boolean":
		if _, ok := value.(bool); !ok {
			return s.wrongType(at, value)
		}
		return nil
	}
	return violate(at, "the specification has the unknown type %q", s.Type)
}

// checkObject: what is required is there, what is not known is refused on a closed
// object, and every member has its own schema.
func (s *schema) checkObject(at string, value any) error {
	members, ok := value.(map[string]any)
	if !ok {
		return s.wrongType(at, value)
	}
	for _, name := range s.Required {
		if _, ok := members[name]; !ok {
			return violate(member(at, name), "required member is missing")
		}
	}
	names := sortedKeys(members)
	for _, name := range names {
		if _, known := s.Properties[name]; !known && s.closed() {
			return violate(member(at, name), "unknown member (the carrier would drop it without an error)")
		}
	}
	for _, name := range names {
		if property, known := s.Properties[name]; known {
			if err := property.check(member(at, name), members[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *schema) checkString(at string, value any) error {
	text, ok := value.(string)
	if !ok {
		return s.wrongType(at, value)
	}
	if s.MinLength != nil && utf8.RuneCountInString(text) < *s.MinLength {
		return violate(at, "shorter than %d characters", *s.MinLength)
	}
	if s.MaxLength != nil && utf8.RuneCountInString(text) > *s.MaxLength {
		return violate(at, "longer than %d characters", *s.MaxLength)
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, any(text)) {
		return violate(at, "not one of %v", s.Enum)
	}
	return nil
}

// checkInteger takes a number only in the form of an integer: 1.0 and 1e3 are
// whole numbers too, but a client that writes them has lost its types.
func (s *schema) checkInteger(at string, value any) error {
	number, ok := value.(json.Number)
	if !ok {
		return s.wrongType(at, value)
	}
	if strings.ContainsAny(number.String(), ".eE") {
		return violate(at, "want an integer, have a number with a fraction or an exponent")
	}
	bits := 64
	if s.Format == "int32" {
		bits = 32
	}
	n, err := strconv.ParseInt(number.String(), 10, bits)
	if err != nil {
		return violate(at, "the integer does not fit in %d bits", bits)
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, any(int(n))) {
		return violate(at, "not one of %v", s.Enum)
	}
	return nil
}

// closed reports whether members beyond Properties are refused.
func (s *schema) closed() bool {
	return s.AdditionalProperties != nil && !*s.AdditionalProperties
}

func (s *schema) wrongType(at string, value any) error {
	return violate(at, "want %s, have %s", s.Type, jsonType(value))
}

// member is the path of a member of the object at a path.
func member(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// index is the path of an item of the array at a path.
func index(at string, i int) string {
	return at + "[" + strconv.Itoa(i) + "]"
}
