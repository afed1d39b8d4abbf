package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestEveryOperationAnswersItsSchema walks the specification: each operation is
// asked over real HTTP, and its answer has the schema and no member beyond it.
func TestEveryOperationAnswersItsSchema(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	placed := b.order(didPath, did(4165550123)).mask(t)
	for _, op := range b.spec.operations {
		t.Run(op.method+" "+op.path, func(t *testing.T) {
			t.Parallel()
			path := strings.NewReplacer(
				"{ticketId}", placed, "{tn}", "4165550123", "{OrderId}", "1", "{RequestId}", "1").Replace(op.path)
			var body []byte
			switch {
			case op.order != nil:
				body = encode(t, fullBody(op))
			case op.request != nil:
				body = encode(t, "416555")
			}
			answer := b.do(t.Context(), op.method, BasePath+path, body)
			if answer.err != nil || answer.status != http.StatusOK {
				t.Fatalf("status %d, error %v, body %s", answer.status, answer.err, answer.body)
			}
			checkAnswer(t, op.response, answer.body)
			if string(answer.body) == "[]" {
				t.Error("an empty list shows nothing")
			}
		})
	}
}

func TestExceptionsHaveTheirSchema(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	exception := b.spec.schemas["Exception"]
	for _, answer := range []got{
		b.get(BasePath + "/Nowhere"),
		b.get(BasePath + didPath),
		b.statusOf("4165550199"),
		b.statusOf("123"),
		b.order(didPath, object{}),
	} {
		if answer.status < 400 {
			t.Errorf("status %d", answer.status)
		}
		checkAnswer(t, exception, answer.body)
	}
}

func checkAnswer(t *testing.T, s *schema, body []byte) {
	t.Helper()
	value, err := decode(body)
	if err == nil {
		err = s.check("", value)
	}
	if err != nil {
		t.Errorf("%v, in %s", err, body)
	}
	checkNothingBeyond(t, "", s, value)
}

// checkNothingBeyond is stricter than the specification, which lets the carrier's
// answers have members of any name.
func checkNothingBeyond(t *testing.T, at string, s *schema, value any) {
	t.Helper()
	if s.Ref != "" {
		s = s.target
	}
	switch value := value.(type) {
	case map[string]any:
		for name, v := range value {
			if s.Properties[name] == nil {
				t.Errorf("%s is not in the specification", member(at, name))
				continue
			}
			checkNothingBeyond(t, member(at, name), s.Properties[name], v)
		}
	case []any:
		for i, item := range value {
			checkNothingBeyond(t, index(at, i), s.Items, item)
		}
	}
}

// TestPathsAreExact: the carrier's own prefix where it has one and nowhere else.
func TestPathsAreExact(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	for path, want := range map[string]int{
		"/SipTrunks":    http.StatusOK,
		"/v2/SipTrunks": http.StatusNotFound,
		"/SipTrunks/":   http.StatusNotFound,
		"/siptrunks":    http.StatusNotFound,
		"//SipTrunks":   http.StatusNotFound,
		"":              http.StatusNotFound,
		didPath:         http.StatusMethodNotAllowed,
		"/v2/NumberPorts/Inbound/Tickets//PortInStatus": http.StatusNotFound,
	} {
		answer := b.get(BasePath + path)
		if answer.status != want {
			t.Errorf("GET %q answered %d, want %d", path, answer.status, want)
		}
		if want == http.StatusMethodNotAllowed && answer.header.Get("Allow") != http.MethodPost {
			t.Errorf("GET %q allows %q", path, answer.header.Get("Allow"))
		}
	}
	wrong := b.order("/v2/NumberPorts/Inbound/GeneralProducts", did(4165550123))
	if wrong.status != http.StatusNotFound || b.Counts().Orders != 0 {
		t.Errorf("an order path with a /v2 too many answered %d and counted %d", wrong.status, b.Counts().Orders)
	}
}

// TestSpecificationAndHandlersAgree: leaving either side out is an error of New
// that names the operation.
func TestSpecificationAndHandlersAgree(t *testing.T) {
	t.Parallel()
	const trunks = "GET /SipTrunks"
	fewer := maps.Clone(lookups)
	delete(fewer, trunks)
	more := maps.Clone(lookups)
	more["GET /Invented"] = more[trunks]
	for name, c := range map[string]struct {
		text    string
		lookups map[string]lookup
		want    string
	}{
		"no handler":      {string(specification), fewer, trunks},
		"no operation":    {string(specification), more, "GET /Invented"},
		"unknown keyword": {strings.Replace(string(specification), "maxLength: 2000", "pattern: a", 1), lookups, "pattern"},
		"dangling":        {strings.Replace(string(specification), "schemas/TerseNumber'", "schemas/Nothing'", 1), lookups, "Nothing"},
		"not YAML":        {"\t", lookups, "reading"},
	} {
		_, err := readSpec([]byte(c.text), orderKinds, c.lookups)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that names %q", name, err, c.want)
		}
	}
}

// TestSchemaLimits covers what the request schemas do not use.
func TestSchemaLimits(t *testing.T) {
	t.Parallel()
	two, four := 2, 4
	text := &schema{Type: "string", MinLength: &two, MaxLength: &four}
	word := &schema{Type: "string", Enum: []any{"A", "B"}}
	for name, c := range map[string]struct {
		schema *schema
		value  any
		legal  bool
	}{
		"short":           {text, "é", false},
		"just long":       {text, "éé", true},
		"long":            {text, "ééééé", false},
		"in the enum":     {word, "B", true},
		"not in the enum": {word, "C", false},
		"number":          {&schema{Type: "number"}, json.Number("1.5"), true},
		"huge number":     {&schema{Type: "number"}, json.Number("1e999"), false},
		"text for number": {&schema{Type: "number"}, "1", false},
		"unknown type":    {&schema{Type: "file"}, "1", false},
		"int64":           {&schema{Type: "integer", Format: "int64"}, json.Number("-9223372036854775808"), true},
	} {
		if err := c.schema.check("at", c.value); (err == nil) != c.legal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCatalogueHoldsTogether(t *testing.T) {
	t.Parallel()
	stock := newCatalogue()
	types := map[int]bool{}
	for _, o := range stock.offerings {
		types[o.Type] = true
		if (len(o.PotentialParentSubscriptions) > 0) != (o.Type == typeGeneralChild) {
			t.Errorf("%s of type %d has %d parents", o.OfferingID, o.Type, len(o.PotentialParentSubscriptions))
		}
	}
	for kind := typeGeneral; kind <= typeVirtualFax; kind++ {
		if !types[kind] {
			t.Errorf("no offering of type %d", kind)
		}
	}
	for _, trunk := range stock.trunks {
		if !nanp(trunk.Number) || !stock.portable(trunk.Number) {
			t.Errorf("the trunk %d is no local number", trunk.Number)
		}
	}
	for _, p := range slices.Concat(stock.residentialPlans, stock.businessPlans, stock.forwardPlans) {
		if p.Account != stock.account {
			t.Errorf("the plan %s is of account %d", p.ID, p.Account)
		}
	}
	if !slices.IsSorted(stock.prefixes) {
		t.Error("the prefixes are not in order")
	}
}
