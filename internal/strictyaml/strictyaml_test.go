package strictyaml_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/strictyaml"
)

// read reads a file of a text and a list, and returns both or what is wrong with it.
func read(content string) (name string, list []string, err error) {
	top, err := strictyaml.Document([]byte(content))
	if err != nil {
		return "", nil, err
	}
	var p strictyaml.Problems
	if fields := p.Fields(top, "", "name", "list"); fields != nil {
		name, _ = p.Required(top, fields["name"], "name")
		for _, e := range p.List(fields["list"], 2) {
			text, _ := p.Text(e)
			list = append(list, text)
		}
	}
	return name, list, p.Err()
}

// What YAML has to say a thing in another place than where it counts is a problem, not passed over, and is not quoted.
func TestNothingIsPassedOver(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                                 "the file is empty",
		"# secret":                         "the file is empty",
		"---\n":                            "the file (line 2): must have the fields name, list",
		"name: a\n---\nname: secret":       "the file has a second document, or an end that is not YAML",
		"name: a\n...\nsecret: [":          "the file has a second document, or an end that is not YAML",
		"name: *secret":                    "the file is not YAML: no line is known",
		"name: \"secret":                   "the file is not YAML: no line is known",
		"name: a\n<<: {list: [secret]}":    "the file (line 2): has an unknown field; there are name, list",
		"name: &secret a\nlist: [*secret]": "list[0] (line 2): must be a text",
		"name: a\nlist: &list [b]\n? *list\n: secret": "the file (line 3): has an unknown field; there are name, list",
		"name: a\n? [secret]\n: b":                    "the file (line 2): has an unknown field; there are name, list",
		"name: a\nname: secret":                       "name (line 2): is there twice",
		"name: !!null secret":                         "name (line 1): must be a text",
		"name: {secret: a}":                           "name (line 1): must be a text",
		"name: a\nlist: secret":                       "list (line 2): must be a list",
		"name: a\nlist: [a, b, secret]":               "list (line 2): has more entries than 2",
	} {
		if _, _, err := read(content); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", content, err, want)
		}
	}
}

// A text is what is written, whatever YAML would make of it.
func TestATextIsWhatIsWritten(t *testing.T) {
	t.Parallel()
	name, list, err := read("name: !!binary aGk=\nlist: [0x10, yes]")
	if diff := cmp.Diff([]any{"aGk=", []string{"0x10", "yes"}}, []any{name, list}); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
