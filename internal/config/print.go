package config

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// Print writes the settings of a command line that was parsed, as a settings file with a comment above each. Secrets are
// stars; what has no value is left out. But for the secrets, the file makes the same settings.
func Print(w io.Writer, app *kong.Application) error {
	settings := &yaml.Node{Kind: yaml.MappingNode}
	for _, group := range app.AllFlags(false) {
		for _, flag := range group {
			if !isSetting(app, flag) || (flag.Target.IsZero() && !flag.HasDefault && !flag.IsBool()) {
				continue
			}
			value := &yaml.Node{}
			if err := value.Encode(printed(flag)); err != nil {
				return fmt.Errorf("printing %s: %w", flag.Name, err)
			}
			name := &yaml.Node{Kind: yaml.ScalarNode, Value: flag.Name, HeadComment: flag.Help}
			settings.Content = append(settings.Content, name, value)
		}
	}
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(settings); err != nil {
		return fmt.Errorf("printing the settings: %w", err)
	}
	return encoder.Close()
}

// printed is a setting as a settings file has it.
func printed(flag *kong.Flag) any {
	switch value := flag.Target.Interface().(type) {
	case fmt.Stringer: // a time, or a secret, which says stars
		return value.String()
	case string:
		return covered(value)
	case []string:
		all := make([]string, len(value))
		for i, one := range value {
			all[i] = covered(one)
		}
		return all
	default:
		return value
	}
}

// revealing is what an address may hold a secret in: what stands before its host, also with a slash in it, and its parameters. Where
// an @ stands behind a question mark, nobody can tell the one from the other, and nothing of the address is shown.
var revealing = regexp.MustCompile(`(://).*\?.*@.*|(://).*(@)|(\?).*`)

// covered is a text with stars for the secrets of an address. No setting but the ledger's may have any; what is wrong is printed too.
func covered(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	return revealing.ReplaceAllString(text, "${1}${2}${4}"+stars+"${3}")
}
