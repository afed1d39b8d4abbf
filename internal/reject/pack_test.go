package reject

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/carrier"
)

// full is a record with another text in every field, also in those that somebody adds to carrier.Reject later.
func full() carrier.Reject {
	var r carrier.Reject
	fields := reflect.ValueOf(&r).Elem()
	for i := range fields.NumField() {
		fields.Field(i).SetString(fmt.Sprintf("«text» %d <&>", i))
	}
	return r
}

func TestPackAndUnpack(t *testing.T) {
	t.Parallel()
	for name, given := range map[string][]carrier.Reject{
		"none":            nil,
		"one":             {full()},
		"an empty one":    {{}},
		"their order":     {{Code: "B"}, {}, {Code: "A"}, {Code: "B"}},
		"text of no form": {{Remarks: "\u0000\"\\\u2028 é", Ported: "416-555-0123"}},
	} {
		bytes, err := Pack(given)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got, err := Unpack(bytes)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := gocmp.Diff(given, got); diff != "" {
			t.Errorf("%s (-given +got):\n%s", name, diff)
		}
		again, err := Pack(got)
		if diff := gocmp.Diff(string(bytes), string(again)); diff != "" || err != nil {
			t.Errorf("%s: %v: packed again (-first +second):\n%s", name, err, diff)
		}
	}
}

// TestPackIsFrozen holds the bytes themselves: ledgers have them.
func TestPackIsFrozen(t *testing.T) {
	t.Parallel()
	got, err := Pack([]carrier.Reject{{
		Code: "a", Form: "b", Field: "c", Remarks: "d", RejectRemarks: "e", Ported: "f", PortedRange: "g", Disconnect: "h", DiscRange: "i",
	}, {}})
	const want = `{"version":1,"records":[{"code":"a","form":"b","field":"c","remarks":"d","reject_remarks":"e","ported":"f",` +
		`"ported_range":"g","disconnect":"h","disconnect_range":"i"},{}]}`
	if diff := gocmp.Diff(want, string(got)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, none := range [][]carrier.Reject{nil, {}} {
		if got, err := Pack(none); got != nil || err != nil {
			t.Errorf("no records are packed as %q, %v", got, err)
		}
	}
}

func TestSameInWhateverOrder(t *testing.T) {
	t.Parallel()
	a, b, c := carrier.Reject{Code: "A"}, carrier.Reject{Code: "B", Remarks: "x"}, full()
	for name, k := range map[string]struct {
		before, now []carrier.Reject
		want        bool
	}{
		"none":               {nil, nil, true},
		"as they were":       {[]carrier.Reject{a, b, c}, []carrier.Reject{a, b, c}, true},
		"another order":      {[]carrier.Reject{a, b, c}, []carrier.Reject{c, a, b}, true},
		"twice":              {[]carrier.Reject{a, b, a}, []carrier.Reject{a, a, b}, true},
		"the other twice":    {[]carrier.Reject{a, b, a}, []carrier.Reject{a, b, b}, false},
		"one more":           {[]carrier.Reject{a}, []carrier.Reject{a, a}, false},
		"one less":           {[]carrier.Reject{a, b}, []carrier.Reject{b}, false},
		"another in a field": {[]carrier.Reject{b}, []carrier.Reject{{Code: "B", Remarks: "y"}}, false},
		"none any more":      {[]carrier.Reject{b}, nil, false},
	} {
		kept, err := Pack(k.before)
		if err != nil {
			t.Fatal(err)
		}
		if got := Same(kept, k.now); got != k.want {
			t.Errorf("%s: the same is %t", name, got)
		}
	}
	if Same([]byte(`{"version":2}`), nil) {
		t.Error("what cannot be read is the same as none")
	}
}

func TestUnpackPassesOverLaterFields(t *testing.T) {
	t.Parallel()
	got, err := Unpack([]byte(`{"version":1,"page":2,"records":[{"code":"8A","colour":{"red":1},"ported":"x"}],"more":[]}`))
	if diff := gocmp.Diff([]carrier.Reject{{Code: "8A", Ported: "x"}}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestUnpackRefuses(t *testing.T) {
	t.Parallel()
	const secret = "4165550123"
	for given, want := range map[string]string{
		`{`:                            "cannot be read",
		`null`:                         "cannot be read",
		` `:                            "cannot be read",
		`[]`:                           "cannot be read",
		`{"records":[{}]}`:             "cannot be read",
		`{"version":0}`:                "cannot be read",
		`{"version":-1}`:               "cannot be read",
		`{"version":1}`:                "cannot be read",
		`{"version":1,"records":[]}`:   "cannot be read",
		`{"version":"` + secret + `"}`: "cannot be read",
		`{"version":1,"records":[{"code":` + secret + `}]}`:          "cannot be read",
		`{"version":1,"records":[{"code":"a"}]}` + secret:            "cannot be read",
		`{"version":1,"records":[{"remarks":"` + secret:              "cannot be read",
		`{"version":2,"records":{"remarks":"` + secret + `"}}`:       "are of version 2; this binary reads up to 1",
		`{"version":99999999,"records":[{"code":"` + secret + `"}]}`: "are of version 99999999",
	} {
		got, err := Unpack([]byte(given))
		if got != nil || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("Unpack(%s) = %v, %v; want an error with %q that quotes nothing", given, got, err, want)
		}
	}
}

// FuzzUnpack gives it bytes that Pack never wrote. What it reads is packed and read again the same, and explained whole.
func FuzzUnpack(f *testing.F) {
	seed, err := Pack([]carrier.Reject{full(), {}, {Form: "EU", Field: "ZIP"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"version":1,"records":[{"field":"\ud800","code":"\u0000"}]}`))
	f.Add([]byte(`{"VERSION":1,"Records":[{"Field":"PORTED #","ported":"(416) 555-0123"},null]}`))
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, bytes []byte) {
		records, err := Unpack(bytes)
		if err != nil {
			if records != nil {
				t.Errorf("both records and an error: %v, %v", records, err)
			}
			return
		}
		isKept(t, records)
		packed, err := Pack(records)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Unpack(packed)
		if diff := gocmp.Diff(records, again); diff != "" || err != nil {
			t.Errorf("%v (-first +second):\n%s", err, diff)
		}
	})
}
