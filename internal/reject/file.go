package reject

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

const (
	reasonPrefix = "REJECT_REASON_"
	partyPrefix  = "REJECT_PARTY_"
	// other is the reason of whatever the table does not know.
	other = "OTHER"
)

var (
	// certainties are the words for how well an entry is known, best first.
	certainties = []string{"verified", "partly", "assumed"}
	// helps are the words for whether sending the order again can help.
	helps = map[string]*bool{"yes": new(true), "no": new(false), "unknown": nil}
)

// file is table.yaml as it is written.
type file struct {
	Sources map[string]string    `yaml:"sources"`
	Reasons map[string]reasoning `yaml:"reasons"`
	Entries []entry              `yaml:"entries"`
}

// saying is what can be said of a reason, and by an entry in its stead.
type saying struct {
	Party          string  `yaml:"party"`
	Field          string  `yaml:"field"`
	ResendingHelps string  `yaml:"resending_helps"`
	Text           wording `yaml:"text"`
	Collect        wording `yaml:"collect"`
}

// reasoning is what is said of a reason.
type reasoning struct {
	saying `yaml:",inline"`

	// WithoutEntry says why no entry leads to the reason.
	WithoutEntry string `yaml:"without_entry"`
}

// entry maps what a record holds to a reason. An empty list is any.
type entry struct {
	saying `yaml:",inline"`

	Codes     []string `yaml:"codes"`
	Forms     []string `yaml:"forms"`
	Fields    []string `yaml:"fields"`
	Reason    string   `yaml:"reason"`
	Certainty string   `yaml:"certainty"`
	Sources   []string `yaml:"sources"`
}

// wording is a text in both languages.
type wording struct {
	English string `yaml:"en"`
	French  string `yaml:"fr"`
}

// parse reads the file; a key that it does not know is an error, not a comment.
func parse(text []byte) (file, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var f file
	if err := decoder.Decode(&f); err != nil {
		return file{}, fmt.Errorf("reading: %w", err)
	}
	return f, nil
}

// over puts what is said over what is said otherwise.
func (s saying) over(m meaning) (meaning, error) {
	var problems []error
	if s.Party != "" {
		value, exists := portinv1.RejectParty_value[partyPrefix+s.Party]
		if !exists {
			problems = append(problems, fmt.Errorf("the contract has no party %q", s.Party))
		}
		m.party = portinv1.RejectParty(value)
	}
	if s.Field != "" {
		m.field = s.Field
	}
	if s.ResendingHelps != "" {
		value, exists := helps[s.ResendingHelps]
		if !exists {
			problems = append(problems, fmt.Errorf("resending_helps %q is none of yes, no, unknown", s.ResendingHelps))
		}
		m.resending = value
	}
	for _, said := range []struct {
		of  string
		new wording
		old *wording
	}{{"text", s.Text, &m.text}, {"collect", s.Collect, &m.collect}} {
		if said.new == (wording{}) {
			continue
		}
		if said.new.English == "" || said.new.French == "" {
			problems = append(problems, fmt.Errorf("%s wants both languages", said.of))
		}
		*said.old = said.new
	}
	return m, errors.Join(problems...)
}

// keys lists the records that an entry describes: each of its codes on each of its forms with each of its fields.
func (e entry) keys() ([]key, error) {
	if len(e.Codes) == 0 && len(e.Fields) == 0 {
		return nil, errors.New("wants a code or a field")
	}
	keys := []key{{}}
	for _, part := range []struct {
		names []string
		fold  func(string) string
		set   func(*key, string)
	}{
		{e.Codes, foldCode, func(k *key, s string) { k.code = s }},
		{e.Forms, fold, func(k *key, s string) { k.form = s }},
		{e.Fields, fold, func(k *key, s string) { k.field = s }},
	} {
		if len(part.names) == 0 {
			continue
		}
		var longer []key
		for _, k := range keys {
			for _, name := range part.names {
				folded := part.fold(name)
				if folded == "" {
					return nil, fmt.Errorf("%q has nothing to compare", name)
				}
				part.set(&k, folded)
				longer = append(longer, k)
			}
		}
		keys = longer
	}
	return slices.Clip(keys), nil
}
