package sandbox

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// sampleValues are legal values of members whose type alone does not make them
// legal. An operation's own stand in sampleOverrides.
var sampleValues = map[string]any{
	"Account":                     100234,
	"Base64Contents":              "JVBERi0xLjc=",
	"BusinessGroupID":             "BG-TORONTO",
	"BusinessGroupSubscriptionID": "BG-TORONTO",
	"CallForwardingNumber":        4165550140,
	"CallerID":                    4165550141,
	"ChangePilotNumber":           true,
	"ContentType":                 "application/pdf",
	"CurrentProvider":             1,
	"CustomerCountry":             "CA",
	"ForwardingTN":                4165550142,
	"IsPRIMegaLink":               true,
	"NewPilotNumber":              4165550130,
	"NumbersToDisconnect":         []any{4165550131},
	"NumbersToRemain":             []any{4165550130, 4165550132},
	"ParentSubscriptionID":        "SUB-1001",
	"PilotNumber":                 4165550100,
	"RequestedPortDate":           "2026-12-15",
	"RequestedPortTime":           "09:30",
	"SubmitterPhoneNumber":        4165550143,
}

var sampleOverrides = map[string]map[string]any{
	"/NumberPorts/Inbound/GeneralProducts":                   {"OfferingID": "OFF-GENERAL"},
	"/NumberPorts/Inbound/GeneralChildProducts":              {"OfferingID": "OFF-CHILD"},
	"/NumberPorts/Inbound/BusinessPermanentCallForwards":     {"OfferingID": "OFF-BUSINESS-FORWARD"},
	"/NumberPorts/Inbound/VirtualFaxes":                      {"OfferingID": "OFF-FAX"},
	"/v2/NumberPorts/Inbound/ResidentialLines":               {"PlanID": "RES-BASIC"},
	"/v2/NumberPorts/Inbound/BusinessLines":                  {"PlanID": "BUS-STANDARD"},
	"/v2/NumberPorts/Inbound/PermanentCallForwards":          {"PlanID": "PCF-LOCAL"},
	"/v2/NumberPorts/Inbound/TollFree/PermanentCallForwards": {"PlanID": "PCF-LOCAL"},
}

// fullBody is an order with every member that its schema has, but for two that
// exclude others: RateCenterName, and CurrentReseller on a toll-free form.
func fullBody(op *operation) object {
	numbers := []int{4165550123, 4165550124}
	if op.order.tollFree {
		numbers = []int{8005550123, 8005550124}
	}
	b := bodyBuilder{op: op, numbers: numbers}
	return b.value("", op.request, 0).(map[string]any)
}

type bodyBuilder struct {
	op      *operation
	numbers []int
}

func (b bodyBuilder) value(name string, s *schema, i int) any {
	if s.Ref != "" {
		return b.value(name, s.target, i)
	}
	if value, ok := sampleOverrides[b.op.path][name]; ok {
		return value
	}
	if value, ok := sampleValues[name]; ok {
		return value
	}
	switch {
	case name == "NumbersToPort":
		return []any{b.numbers[0], b.numbers[1]}
	case s.Type == "integer" && (name == "Number" || name == "TN"):
		return b.numbers[i]
	case s.Type == "array":
		return []any{b.value(name, s.Items, 0), b.value(name, s.Items, 1)}
	case s.Type == "object":
		members := map[string]any{}
		for property, ps := range s.Properties {
			if property != "RateCenterName" && (property != "CurrentReseller" || !b.op.order.tollFree) {
				members[property] = b.value(property, ps, i)
			}
		}
		return members
	case len(s.Enum) > 0:
		return s.Enum[0]
	}
	return map[string]any{"string": "Text", "integer": 5, "boolean": false}[s.Type]
}

// mutation is one way to spoil a body at one member.
type mutation struct {
	name string
	at   string // what the Exception has to name
	body any
}

// mutate lists every mutation of a legal body: each required member left out, each
// member with each wrong type, a member too many in each object.
func mutate(s *schema, body any) []mutation {
	var all []mutation
	var walk func(at string, s *schema, value any, replace func(any) any)
	add := func(name, at string, body any) { all = append(all, mutation{name + " " + at, at, body}) }
	walk = func(at string, s *schema, value any, replace func(any) any) {
		if s.Ref != "" {
			s = s.target
		}
		for name, wrong := range wrongValues(s) {
			add(name, at, replace(wrong))
		}
		switch value := value.(type) {
		case map[string]any:
			changed := func(name string, v any) map[string]any {
				other := map[string]any{name: v}
				for k, v := range value {
					if k != name {
						other[k] = v
					}
				}
				return other
			}
			for _, name := range s.Required {
				less := changed(name, nil)
				delete(less, name)
				add("without", member(at, name), replace(less))
			}
			add("unknown", member(at, "Bogus"), replace(changed("Bogus", 1)))
			for name, property := range s.Properties {
				walk(member(at, name), property, value[name], func(v any) any { return replace(changed(name, v)) })
			}
		case []any:
			for i, item := range value {
				walk(index(at, i), s.Items, item, func(v any) any {
					other := slices.Clone(value)
					other[i] = v
					return replace(other)
				})
			}
		}
	}
	walk("", s, body, func(v any) any { return v })
	return all
}

// wrongValues are values that a schema does not allow, by what is wrong with them.
func wrongValues(s *schema) map[string]any {
	wrong := map[string]any{
		"null": nil, "boolean": true, "string": "1", "number": json.RawMessage("1.5"), "array": []any{}, "object": map[string]any{},
	}
	switch s.Type {
	case "integer":
		wrong["fraction of zero"] = json.RawMessage("4165550123.0")
		wrong["exponent"] = json.RawMessage("1e3")
		wrong["65 bits"] = json.RawMessage("9223372036854775808")
		if s.Format == "int32" {
			wrong["33 bits"] = json.RawMessage("2147483648")
		}
		if len(s.Enum) > 0 {
			wrong["not in the enum"] = 8
		}
	default:
		delete(wrong, s.Type)
	}
	return wrong
}

func TestMutationsAreRefused(t *testing.T) {
	t.Parallel()
	carrier := mustNew(t, Config{})
	for _, op := range carrier.spec.operations {
		if op.order == nil {
			continue
		}
		t.Run(op.path, func(t *testing.T) {
			t.Parallel()
			full := fullBody(op)
			if answer := post(t, carrier, op.path, encode(t, full)); answer.mask(t) == "" {
				t.Fatal("no ticket")
			}
			all := mutate(op.request, map[string]any(full))
			if len(all) < 200 {
				t.Errorf("only %d mutations", len(all))
			}
			for _, m := range all {
				answer := post(t, carrier, op.path, encode(t, m.body))
				if answer.status != http.StatusBadRequest {
					t.Errorf("%s: status %d", m.name, answer.status)
				} else if message := answer.exceptionMessage(t); !strings.Contains(message, m.at) {
					t.Errorf("%s: the message does not name it: %s", m.name, message)
				}
			}
		})
	}
}

// TestMinimalBodiesAreTaken leaves out every member that is not required.
func TestMinimalBodiesAreTaken(t *testing.T) {
	t.Parallel()
	carrier := mustNew(t, Config{})
	for _, op := range carrier.spec.operations {
		if op.order == nil {
			continue
		}
		// The rules require one of these beyond the schema.
		body := prune(op.request, map[string]any(fullBody(op)), "NumbersToPort", "CurrentProvider", "Number").(map[string]any)
		if answer := post(t, carrier, op.path, encode(t, body)); answer.mask(t) == "" {
			t.Errorf("%s: no ticket", op.path)
		}
	}
}

func prune(s *schema, value any, keep ...string) any {
	if s.Ref != "" {
		s = s.target
	}
	switch value := value.(type) {
	case map[string]any:
		less := map[string]any{}
		for name, v := range value {
			if slices.Contains(s.Required, name) || slices.Contains(keep, name) {
				less[name] = prune(s.Properties[name], v, keep...)
			}
		}
		return less
	case []any:
		less := make([]any, len(value))
		for i, item := range value {
			less[i] = prune(s.Items, item, keep...)
		}
		return less
	}
	return value
}

func TestBodiesThatAreNotOneJSONValue(t *testing.T) {
	t.Parallel()
	carrier := mustNew(t, Config{})
	legal := string(encode(t, did(4165550123)))
	for name, c := range map[string]struct{ body, want string }{
		"empty":              {"", "not JSON"},
		"truncated":          {legal[:len(legal)-1], "not JSON"},
		"not JSON":           {"PilotNumber=4165550100", "not JSON"},
		"trailing comma":     {strings.Replace(legal, "}}", "},}", 1), "not JSON"},
		"no object":          {"[]", "want object, have array"},
		"null":               {"null", "want object, have null"},
		"second value":       {legal + "{}", "bytes after"},
		"garbage after":      {legal + "x", "bytes after"},
		"byte order mark":    {"\ufeff" + legal, "not JSON"},
		"invalid UTF-8":      {strings.Replace(legal, "Toronto", "Toront\xf3", 1), "not UTF-8"},
		"too deep":           {strings.Repeat("[", 100) + strings.Repeat("]", 100), "nested deeper"},
		"name twice":         {strings.Replace(legal, `"PilotNumber"`, `"PilotNumber":4165550100,"PilotNumber"`, 1), "PilotNumber: the name stands twice"},
		"name twice, inside": {strings.Replace(legal, `"CustomerCity"`, `"CustomerCity":"Ottawa","CustomerCity"`, 1), "PortForm.CustomerCity: the name stands twice"},
		"other case":         {strings.Replace(legal, `"PilotNumber"`, `"pilotNumber"`, 1), "PilotNumber: required"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := post(t, carrier, didPath, []byte(c.body))
			if message := answer.exceptionMessage(t); answer.status != http.StatusBadRequest || !strings.Contains(message, c.want) {
				t.Errorf("status %d, message %q, want 400 with %q", answer.status, message, c.want)
			}
		})
	}
	if tickets := carrier.Tickets(); len(tickets) != 0 {
		t.Errorf("%d tickets were made", len(tickets))
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":null}]}`, `{"a":1,"a":2}`, "[[[", `"\ud800"`, "1 2"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := decode(body); err == nil && !json.Valid(body) {
			t.Errorf("took %q, which is not JSON", body)
		}
	})
}

func mustNew(t testing.TB, config Config) *Carrier {
	t.Helper()
	carrier, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = carrier.Close() })
	return carrier
}

// post sends an order without a network, for tests that send thousands.
func post(t testing.TB, carrier *Carrier, path string, body []byte) got {
	t.Helper()
	request := httptest.NewRequest(http.MethodPost, BasePath+path, strings.NewReader(string(body)))
	request.SetBasicAuth("sandbox", "sandbox")
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	carrier.ServeHTTP(recorder, request)
	return got{status: recorder.Code, header: recorder.Header(), body: recorder.Body.Bytes()}
}
