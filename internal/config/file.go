package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// YAML is the kong loader of a settings file. A setting may be written flat ("grpc-address: …") or nested
// ("grpc: {address: …}"), with its value as a flag would have it, or a list. Kong's own loader for YAML lets a setting
// through that nobody knows, drops a flat one that stands beside its section, reads 5 as five nanoseconds and 0123 as 83,
// and wins over the environment.
func YAML(r io.Reader) (kong.Resolver, error) {
	decoder := yaml.NewDecoder(r)
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF): // an empty file
		return file{}, nil
	case err != nil:
		return nil, fmt.Errorf("reading the settings file: %w", err)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("the settings file has a second document, or an end that is no YAML")
	}
	f := file{}
	return f, f.read("", document.Content[0])
}

// file is a settings file: what it has for each setting, a text or a list of texts.
type file map[string]any

// read notes the settings of a section.
func (f file) read(prefix string, section *yaml.Node) error {
	if section.Kind != yaml.MappingNode {
		return errors.New("the settings file is not a list of names with values")
	}
	var problems []error
	for i := 0; i < len(section.Content); i += 2 {
		name, value := prefix+section.Content[i].Value, section.Content[i+1]
		if value.Kind == yaml.MappingNode && len(value.Content) > 0 {
			problems = append(problems, f.read(name+"-", value))
			continue
		}
		set, err := text(value)
		if _, twice := f[name]; twice {
			err = errors.New("is set twice")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
		f[name] = set
	}
	return errors.Join(problems...)
}

// text is a value as it is written, or a list of such.
func text(value *yaml.Node) (any, error) {
	switch {
	case value.Kind == yaml.ScalarNode && value.Tag == "!!null", value.Kind == yaml.MappingNode:
		return nil, errors.New("has no value")
	case value.Kind == yaml.ScalarNode:
		return value.Value, nil
	case value.Kind != yaml.SequenceNode:
		return nil, errors.New("is neither a value nor a list")
	}
	list := make([]any, len(value.Content))
	for i, entry := range value.Content {
		if entry.Kind != yaml.ScalarNode || entry.Tag == "!!null" {
			return nil, errors.New("has an entry that is no value")
		}
		list[i] = entry.Value
	}
	return list, nil
}

// Validate names the settings that are none.
func (f file) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, flags := range app.AllFlags(false) {
		for _, flag := range flags {
			known[flag.Name] = isSetting(app, flag)
		}
	}
	var unknown []string
	for name := range f {
		if !known[name] {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	var problems []error
	for _, name := range unknown {
		problems = append(problems, fmt.Errorf("%s: is no setting", name))
	}
	return errors.Join(problems...)
}

// isSetting reports whether a flag is one of the settings, and not the file that holds them, or a question.
func isSetting(app *kong.Application, flag *kong.Flag) bool {
	_, file := reflect.TypeAssert[kong.ConfigFlag](flag.Target)
	_, version := reflect.TypeAssert[kong.VersionFlag](flag.Target)
	return !file && !version && flag != app.HelpFlag
}

// Resolve returns what the file has for a flag, unless the environment has it too. Kong asks only for flags that the
// command line does not have.
func (f file) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil //nolint:nilnil // kong's word for "not here"
		}
	}
	if _, list := f[flag.Name].([]any); list && !flag.IsSlice() {
		return nil, errors.New("takes one value, not a list") // kong would quote it, and it may be a password
	}
	return f[flag.Name], nil
}
