package contract

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

func trunkDid(pilot string, numbers ...string) *portinv1.PortInOrder_TrunkDid {
	did := &portinv1.TrunkDid{PilotNumber: pilot}
	for _, n := range numbers {
		did.Dids = append(did.Dids, &portinv1.TrunkDid_Did{Number: n})
	}
	return &portinv1.PortInOrder_TrunkDid{TrunkDid: did}
}

func fax(offering string) *portinv1.PortInOrder_VirtualFax {
	return &portinv1.PortInOrder_VirtualFax{VirtualFax: &portinv1.VirtualFax{OfferingId: offering}}
}

func TestSetPaths(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		order *portinv1.PortInOrder
		want  []string
	}{
		"nothing": {&portinv1.PortInOrder{}, nil},
		"only what goes out": {
			&portinv1.PortInOrder{OrderId: "0", Attempt: 1, Warnings: []*portinv1.Warning{{}}, NeedsAttention: true}, nil,
		},
		"an empty message is a path": {
			&portinv1.PortInOrder{Form: &portinv1.PortForm{}, Target: fax("")}, []string{"form", "virtual_fax"},
		},
		"in the order of the contract, lists whole": {
			&portinv1.PortInOrder{
				Form: &portinv1.PortForm{
					LettersOfAuthorization: []*portinv1.Document{{FileName: "a", Content: []byte("b"), SizeBytes: 1}},
					ServiceAddress:         &portinv1.ServiceAddress{StreetName: "c", StreetNumber: "d"},
					CustomerName:           "e", NumbersToRemain: []string{"f"}, CurrentProviderId: new(int32(0)),
				},
				Target: trunkDid("g", "h", "i"), TicketId: "j",
			},
			[]string{
				"form.customer_name", "form.service_address.street_number", "form.service_address.street_name", "form.current_provider_id",
				"form.numbers_to_remain", "form.letters_of_authorization", "trunk_did.pilot_number", "trunk_did.dids",
			},
		},
	} {
		if diff := cmp.Diff(c.want, SetPaths(c.order)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestCheckMask(t *testing.T) {
	t.Parallel()
	const problem = "has more than 200 paths, or one of more than 200 bytes"
	for name, c := range map[string]struct {
		paths []string
		want  string
	}{
		"none":     {nil, ""},
		"many":     {slices.Repeat([]string{"form"}, MaxPaths), ""},
		"too many": {slices.Repeat([]string{"form"}, MaxPaths+1), problem},
		"long":     {[]string{"form", strings.Repeat("a", MaxPath)}, ""},
		"too long": {[]string{"form", strings.Repeat("a", MaxPath+1)}, problem},
	} {
		if got := CheckMask(c.paths); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	order := (&portinv1.PortInOrder{}).ProtoReflect().Descriptor()
	var all []string
	walk(order, "", func(path string) { all = append(all, path) })
	if problem := CheckMask(all); problem != "" {
		t.Errorf("a mask of all %d fields of an order %s", len(all), problem)
	}
}

// walk visits the paths of all fields of a message that a mask may name.
func walk(m protoreflect.MessageDescriptor, prefix string, visit func(path string)) {
	for i := range m.Fields().Len() {
		fd := m.Fields().Get(i)
		if behaves(fd, annotations.FieldBehavior_OUTPUT_ONLY) {
			continue
		}
		visit(prefix + string(fd.Name()))
		if fd.Message() != nil && !fd.IsList() {
			walk(fd.Message(), prefix+string(fd.Name())+".", visit)
		}
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	mask := []string{"form.customer_name", "trunk_did"}
	for path, want := range map[string]bool{
		"form.customer_name": true, "trunk_did": true, "trunk_did.pilot_number": true, "trunk_did.dids.number": true,
		"form": false, "form.customer_name_at_law": false, "trunk_did_x": false, "form.email_address": false, "": false,
		"order.trunk_did": false,
	} {
		if got := Covers(mask, path); got != want {
			t.Errorf("Covers(%q) is %v", path, got)
		}
	}
	if Covers(nil, "form") || Covers([]string{""}, "form") {
		t.Error("a mask that names nothing covers something")
	}
}

func TestCorrect(t *testing.T) {
	t.Parallel()
	const (
		noField = "names no field of an order that can be given; write proto names with dots between them"
		inList  = "names an entry of a list; a list is replaced whole, so name the list"
		inField = "names a field of what is no message"
		other   = "names a field of another choice than the order has made; name the choice itself to replace it"
	)
	form := func(change func(f *portinv1.PortForm)) *portinv1.PortInOrder {
		f := &portinv1.PortForm{}
		change(f)
		return &portinv1.PortInOrder{Form: f}
	}
	named := func(name string) *portinv1.PortInOrder {
		return form(func(f *portinv1.PortForm) { f.CustomerName = name })
	}
	empty := &portinv1.PortInOrder{}
	for name, c := range map[string]struct {
		into, from *portinv1.PortInOrder
		path       string
		want       *portinv1.PortInOrder // nil is into
		problem    string
	}{
		"a field is replaced": {into: named("old"), from: named("new"), path: "form.customer_name", want: named("new")},
		"a field is set where nothing was": {
			into: empty, from: form(func(f *portinv1.PortForm) {
				f.CustomerName, f.ServiceAddress = "x", &portinv1.ServiceAddress{StreetName: "y", City: "z"}
			}),
			path: "form.service_address.street_name",
			want: form(func(f *portinv1.PortForm) { f.ServiceAddress = &portinv1.ServiceAddress{StreetName: "y"} }),
		},
		"zero is set": {
			into: named("a"), from: form(func(f *portinv1.PortForm) { f.CurrentProviderId = new(int32(0)) }), path: "form.current_provider_id",
			want: form(func(f *portinv1.PortForm) { f.CustomerName, f.CurrentProviderId = "a", new(int32(0)) }),
		},
		"a message is replaced whole": {
			into: form(func(f *portinv1.PortForm) { f.ServiceAddress = &portinv1.ServiceAddress{StreetName: "a", City: "b"} }),
			from: form(func(f *portinv1.PortForm) { f.ServiceAddress = &portinv1.ServiceAddress{City: "c"} }),
			path: "form.service_address",
			want: form(func(f *portinv1.PortForm) { f.ServiceAddress = &portinv1.ServiceAddress{City: "c"} }),
		},
		"a list is replaced whole": {
			into: &portinv1.PortInOrder{Target: trunkDid("p", "a", "b", "c")}, from: &portinv1.PortInOrder{Target: trunkDid("q", "b", "d")},
			path: "trunk_did.dids", want: &portinv1.PortInOrder{Target: trunkDid("p", "b", "d")},
		},
		"a list is removed": {
			into: &portinv1.PortInOrder{Target: trunkDid("p", "a")}, from: &portinv1.PortInOrder{Target: trunkDid("q")},
			path: "trunk_did.dids", want: &portinv1.PortInOrder{Target: trunkDid("p")},
		},
		"what is named and not set is removed": {
			into: form(func(f *portinv1.PortForm) { f.CustomerName, f.CurrentReseller = "a", new("b") }), from: empty,
			path: "form.current_reseller", want: named("a"),
		},
		"a message is removed":                   {into: named("a"), from: empty, path: "form", want: empty},
		"what is emptied stays":                  {into: named("a"), from: empty, path: "form.customer_name", want: named("")},
		"nothing is removed from nothing":        {into: empty, from: empty, path: "form.service_address.city"},
		"nothing is left for what is not given":  {into: empty, from: named("a"), path: "form.service_address.city"},
		"nor for a field beside one":             {into: empty, from: named("a"), path: "form.current_reseller"},
		"nor for an arm's field":                 {into: empty, from: &portinv1.PortInOrder{Target: fax("a")}, path: "virtual_fax.numbers"},
		"nor for a field of an arm not taken":    {into: empty, from: &portinv1.PortInOrder{Target: fax("a")}, path: "trunk_did.dids"},
		"an empty message is given":              {into: empty, from: named(""), path: "form", want: named("")},
		"an arm is removed":                      {into: &portinv1.PortInOrder{Target: fax("a")}, from: empty, path: "virtual_fax", want: empty},
		"an arm that is not taken is not either": {into: &portinv1.PortInOrder{Target: fax("a")}, from: empty, path: "trunk_did"},
		"an arm is replaced by another": {
			into: &portinv1.PortInOrder{Target: fax("a")}, from: &portinv1.PortInOrder{Target: trunkDid("p")},
			path: "trunk_did", want: &portinv1.PortInOrder{Target: trunkDid("p")},
		},
		"an arm is chosen by a field": {
			into: empty, from: &portinv1.PortInOrder{Target: trunkDid("p", "a")},
			path: "trunk_did.pilot_number", want: &portinv1.PortInOrder{Target: trunkDid("p")},
		},
		"a field of another arm, given": {
			into: &portinv1.PortInOrder{Target: fax("a")}, from: &portinv1.PortInOrder{Target: trunkDid("p")},
			path: "trunk_did.pilot_number", problem: other,
		},
		"a field of another arm, not given": {
			into: &portinv1.PortInOrder{Target: fax("a")}, from: empty, path: "trunk_did.pilot_number", problem: other,
		},
		"what goes out": {into: empty, from: &portinv1.PortInOrder{OrderId: "a"}, path: "order_id", problem: noField},
		"below what goes out": {
			into: empty, from: &portinv1.PortInOrder{Warnings: []*portinv1.Warning{{Field: "a"}}}, path: "warnings.field", problem: noField,
		},
		"no path":                  {into: named("a"), from: empty, path: "", problem: noField},
		"a star":                   {into: named("a"), from: empty, path: "*", problem: noField},
		"the name of JSON":         {into: named("a"), from: empty, path: "form.customerName", problem: noField},
		"the oneof":                {into: &portinv1.PortInOrder{Target: fax("a")}, from: empty, path: "target", problem: noField},
		"from the request":         {into: named("a"), from: empty, path: "order.form", problem: noField},
		"a dot at the end":         {into: named("a"), from: empty, path: "form.", problem: noField},
		"an entry":                 {into: empty, from: empty, path: "trunk_did.dids[0]", problem: noField},
		"a field of entries":       {into: empty, from: empty, path: "trunk_did.dids.number", problem: inList},
		"an entry of plain ones":   {into: empty, from: empty, path: "form.numbers_to_remain.0", problem: inList},
		"below what is no message": {into: named("a"), from: empty, path: "form.customer_name.first", problem: inField},
	} {
		got, from := proto.CloneOf(c.into), proto.CloneOf(c.from)
		problem := Correct(got, from, c.path)
		want := c.want
		if want == nil {
			want = c.into
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" || problem != c.problem {
			t.Errorf("%s: problem %q (-want +got):\n%s", name, problem, diff)
		}
		if diff := cmp.Diff(c.from, from, protocmp.Transform()); diff != "" {
			t.Errorf("%s: what was corrected by has changed (-want +got):\n%s", name, diff)
		}
	}
}

// filled draws a message. Of what goes out only it has nothing, but at its top when out is set.
func filled(t *rapid.T, m protoreflect.Message, out bool) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if fd.Message() != nil && fd.Message().FullName() == "google.protobuf.Timestamp" {
			continue
		}
		goesOut := behaves(fd, annotations.FieldBehavior_OUTPUT_ONLY)
		if (goesOut && !out) || rapid.IntRange(0, 3).Draw(t, "given") == 0 {
			continue
		}
		if fd.IsList() {
			list := m.Mutable(fd).List()
			for range rapid.IntRange(0, 2).Draw(t, "entries") {
				list.Append(drawn(t, fd, list.NewElement()))
			}
			continue
		}
		if oneof := fd.ContainingOneof(); oneof != nil && !oneof.IsSynthetic() && rapid.IntRange(0, 4).Draw(t, "arm") > 0 {
			continue
		}
		m.Set(fd, drawn(t, fd, m.NewField(fd)))
	}
}

// drawn is a value of a field; a zero one is likely.
func drawn(t *rapid.T, fd protoreflect.FieldDescriptor, zero protoreflect.Value) protoreflect.Value {
	n := rapid.IntRange(0, 2).Draw(t, "value")
	switch fd.Kind() { //nolint:exhaustive // the contract has no other kinds, and the default says so
	case protoreflect.MessageKind:
		filled(t, zero.Message(), false)
		return zero
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(strings.Repeat("a", n))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(make([]byte, n))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(n > 0)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(n))
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(n))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(int64(n))
	default:
		t.Fatalf("a field of kind %v is not drawn yet", fd.Kind())
		return zero
	}
}

func drawnOrder(t *rapid.T) *portinv1.PortInOrder {
	o := &portinv1.PortInOrder{}
	filled(t, o.ProtoReflect(), true)
	return o
}

// clearPath clears a field, if the messages that it is in are there.
func clearPath(m protoreflect.Message, path string) {
	name, rest, deeper := strings.Cut(path, ".")
	fd := m.Descriptor().Fields().ByName(protoreflect.Name(name))
	switch {
	case !deeper:
		m.Clear(fd)
	case m.Has(fd):
		clearPath(m.Mutable(fd).Message(), rest)
	}
}

func TestAMessageIsItsSetPaths(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from, got := drawnOrder(t), &portinv1.PortInOrder{}
		want := proto.CloneOf(from)
		fields := want.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			if behaves(fields.Get(i), annotations.FieldBehavior_OUTPUT_ONLY) {
				want.ProtoReflect().Clear(fields.Get(i))
			}
		}
		paths := rapid.Permutation(SetPaths(from)).Draw(t, "paths")
		for _, path := range paths {
			if problem := Correct(got, from, path); problem != "" {
				t.Errorf("%s %s", path, problem)
			}
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("by %v (-want +got):\n%s", paths, diff)
		}
	})
}

func TestACorrectionIsOfOnePath(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from, old := drawnOrder(t), drawnOrder(t)
		path := rapid.SampledFrom(append(append(SetPaths(from), SetPaths(old)...), "form")).Draw(t, "path")
		if rapid.Bool().Draw(t, "perhaps nowhere") {
			path = rapid.SampledFrom([]string{"form.service_address.city", "form.current_reseller", "virtual_fax.numbers"}).Draw(t, "path")
		}
		if cut, _, _ := strings.Cut(path, "."); rapid.Bool().Draw(t, "whole") {
			path = cut
		}
		into, by := proto.CloneOf(old), proto.CloneOf(from)
		problem := Correct(into, by, path)
		if !proto.Equal(by, from) {
			t.Errorf("%s changes what it is corrected by", path)
		}
		given := has(from.ProtoReflect(), path)
		if problem == "" && has(into.ProtoReflect(), path) != given {
			t.Errorf("%s is set: %v, want %v", path, !given, given)
		}
		want := proto.CloneOf(old)
		switch {
		case problem != "": // nothing changes
		case given:
			// What there was without the path, and what the other message says of it.
			name, _, deeper := strings.Cut(path, ".")
			fd := want.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(name))
			if deeper {
				only := proto.CloneOf(from)
				for _, p := range SetPaths(from) {
					if !Covers([]string{path}, p) {
						clearPath(only.ProtoReflect(), p)
					}
				}
				clearPath(want.ProtoReflect(), path)
				proto.Merge(want.ProtoReflect().Mutable(fd).Message().Interface(), only.ProtoReflect().Get(fd).Message().Interface())
				prune(want.ProtoReflect(), old, path)
				break
			}
			want.ProtoReflect().Set(fd, from.ProtoReflect().Get(fd))
		default:
			clearPath(want.ProtoReflect(), path)
		}
		if diff := cmp.Diff(want, into, protocmp.Transform()); diff != "" {
			t.Errorf("%s, given %v, problem %q (-want +got):\n%s", path, given, problem, diff)
		}
	})
}

// prune takes away the empty messages that the model itself leaves beside a path.
func prune(m protoreflect.Message, old *portinv1.PortInOrder, path string) {
	for _, p := range SetPaths(m.Interface()) {
		if !has(old.ProtoReflect(), p) && !Covers([]string{path}, p) {
			clearPath(m, p)
		}
	}
}

// FuzzCorrect: no path brings it down, a problem changes nothing, and what is named is as it was given.
func FuzzCorrect(f *testing.F) {
	from := &portinv1.PortInOrder{
		OrderId: "a", Form: &portinv1.PortForm{CustomerName: "b", ServiceAddress: &portinv1.ServiceAddress{City: "c"}, NumbersToRemain: []string{"d"}},
		Target: trunkDid("e", "f"), Warnings: []*portinv1.Warning{{}},
	}
	olds := []*portinv1.PortInOrder{
		{}, {Form: &portinv1.PortForm{CurrentReseller: new("g")}, Target: fax("h")}, {Target: trunkDid("i", "j")}, from,
	}
	for _, path := range append(SetPaths(from), "", ".", "..", "form.", ".form", "form..city", "target", "trunk_did.dids[0].number", "trunk_did.dids.number",
		"virtual_fax.offering_id", "order_id", "create_time.seconds", "form.customer_name.x", "form\x00", "\xff", strings.Repeat("form.", 50)) {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		for i, old := range olds {
			into, by := proto.CloneOf(old), proto.CloneOf(from)
			problem := Correct(into, by, path)
			switch {
			case !proto.Equal(by, from):
				t.Errorf("%q into %d changes what it is corrected by", path, i)
			case problem != "" && !proto.Equal(into, old):
				t.Errorf("%q into %d has a problem, and changes %v to %v", path, i, old, into)
			case problem == "" && has(into.ProtoReflect(), path) != has(from.ProtoReflect(), path):
				t.Errorf("%q into %d is not as it was given: %v", path, i, into)
			case into.GetOrderId() != old.GetOrderId():
				t.Errorf("%q into %d gives what only goes out", path, i)
			}
		}
	})
}
