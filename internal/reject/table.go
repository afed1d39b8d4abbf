package reject

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

//go:embed table.yaml
var tableYAML []byte

// known is the table of this binary. It is read when the program starts, and read-only after that.
var known = mustRead(tableYAML) //nolint:gochecknoglobals // read once: a bad table must not wait for a reject

// table is what is known, ready to be asked.
type table struct {
	meanings map[key]meaning
	// unknown is what is said of everything else.
	unknown meaning
}

// key is what an entry describes a record by, folded; empty is any. An entry has a code or a field, never a form alone.
type key struct{ code, form, field string }

// meaning is what is said of a record.
type meaning struct {
	reason portinv1.RejectReason
	party  portinv1.RejectParty
	// field is a path of the order, with proto names; empty for none.
	field string
	// resending says whether sending the order again can help; nil when it is not known.
	resending     *bool
	text, collect wording
}

func mustRead(text []byte) table {
	f, err := parse(text)
	if err == nil {
		var t table
		if t, err = f.table(); err == nil {
			return t
		}
	}
	panic("reject: table.yaml: " + err.Error())
}

// table checks the whole file and makes a table of it. All problems are reported at once.
func (f file) table() (table, error) {
	var problems []error
	reasons, err := f.reasons()
	problems = append(problems, err)
	t := table{meanings: map[key]meaning{}, unknown: reasons[other]}
	led, cited := map[string]bool{}, map[string]bool{}
	for i, e := range f.Entries {
		of, isReason := reasons[e.Reason]
		m, err := e.over(of)
		if !isReason {
			err = errors.Join(err, fmt.Errorf("reason %q has no texts", e.Reason))
		}
		if !slices.Contains(certainties, e.Certainty) {
			err = errors.Join(err, fmt.Errorf("certainty %q is none of %q", e.Certainty, certainties))
		}
		err = errors.Join(err, f.cite(e, cited))
		keys, bad := e.keys()
		err = errors.Join(err, bad)
		for _, k := range keys {
			if _, twice := t.meanings[k]; twice {
				err = errors.Join(err, fmt.Errorf("an earlier entry has %+v", k))
			}
			t.meanings[k] = m
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("entry %d, %q: %w", i+1, slices.Concat(e.Codes, e.Fields), err))
		}
		led[e.Reason] = true
	}
	for _, name := range slices.Sorted(maps.Keys(f.Sources)) {
		if !cited[name] {
			problems = append(problems, fmt.Errorf("source %s: no entry has it", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Reasons)) {
		if led[name] == (f.Reasons[name].WithoutEntry != "") {
			problems = append(problems, fmt.Errorf("reason %s: wants an entry, or without_entry to say why there is none", name))
		}
	}
	return t, errors.Join(problems...)
}

// reasons reads what is said of each reason, and holds it against the contract both ways.
func (f file) reasons() (map[string]meaning, error) {
	var problems []error
	read := map[string]meaning{}
	for _, name := range slices.Sorted(maps.Keys(f.Reasons)) {
		m, err := f.Reasons[name].over(meaning{})
		value, exists := portinv1.RejectReason_value[reasonPrefix+name]
		if !exists || value == 0 {
			err = errors.Join(err, errors.New("the contract has no such reason"))
		}
		if m.text == (wording{}) {
			err = errors.Join(err, errors.New("has no text"))
		}
		if f.Reasons[name].Party == "" || f.Reasons[name].ResendingHelps == "" {
			err = errors.Join(err, errors.New("has to say a party, and whether resending helps"))
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("reason %s: %w", name, err))
		}
		m.reason = portinv1.RejectReason(value)
		read[name] = m
	}
	for value, name := range portinv1.RejectReason_name {
		short := strings.TrimPrefix(name, reasonPrefix)
		if _, has := f.Reasons[short]; !has && value != 0 {
			problems = append(problems, fmt.Errorf("reason %s of the contract has no texts", short))
		}
	}
	return read, errors.Join(problems...)
}

// cite notes the sources of an entry, of which it has to have one.
func (f file) cite(e entry, cited map[string]bool) error {
	if len(e.Sources) == 0 {
		return errors.New("has no source")
	}
	for _, name := range e.Sources {
		if f.Sources[name] == "" {
			return fmt.Errorf("source %q is not in the list of sources", name)
		}
		cited[name] = true
	}
	return nil
}

// fold brings the name of a form or a field to one spelling: upper case, letters and digits only. "PORTED #" is PORTED.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, s)
}

// foldCode brings a code to one spelling. Its signs are kept: of two characters, each may count.
func foldCode(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }
