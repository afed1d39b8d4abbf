package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const hidden = "hunter2"

// A secret is stars wherever it is printed, by itself and inside the settings.
func TestASecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	settings := Default()
	settings.Carrier.Password = hidden
	for name, value := range map[string]any{
		"itself": Secret(hidden), "the settings": settings, "a pointer to them": &settings, "the carrier's": settings.Carrier,
		"a list": []Secret{hidden}, "a map": map[string]Secret{"a": hidden}, "a pointer": &settings.Carrier.Password,
	} {
		for verb, printed := range printings(t, value) {
			if strings.Contains(printed, hidden) || strings.Contains(printed, fmt.Sprintf("%x", hidden)) {
				t.Errorf("%s as %s is %s", name, verb, printed)
			}
			pointer := strings.HasPrefix(printed, "0x") || strings.Contains(printed, "(0x") || verb == "%d" || verb == "%x" || verb == "%T"
			if !strings.Contains(printed, "********") && !pointer {
				t.Errorf("%s as %s has no stars: %s", name, verb, printed)
			}
		}
	}
}

// printings are the ways to print a value.
func printings(t *testing.T, value any) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%10s", "%t", "%T"} {
		all[verb] = fmt.Sprintf(verb, value)
	}
	all["error"] = fmt.Errorf("settings: %v", value).Error()
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"slog json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		slog.New(handler(&b)).InfoContext(t.Context(), "x", slog.Any("value", value))
		all[name] = b.String()
	}
	asJSON, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	all["json"] = string(asJSON)
	asYAML, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	all["yaml"] = string(asYAML)
	return all
}

func TestSecret(t *testing.T) {
	t.Parallel()
	for verb, want := range map[string][2]string{
		"%v": {"********", ""}, "%s": {"********", ""}, "%d": {"********", ""},
		"%q": {`"********"`, `""`}, "%#v": {`"********"`, `""`},
	} {
		if got := [2]string{fmt.Sprintf(verb, Secret(hidden)), fmt.Sprintf(verb, Secret(""))}; got != want {
			t.Errorf("%s prints %q, want %q", verb, got, want)
		}
	}
	if got := Secret(hidden).Reveal(); got != hidden {
		t.Errorf("Reveal = %q", got)
	}
}
