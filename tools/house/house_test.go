// Package house checks, as tests, rules about the tree as a whole that no linter can hold.
package house

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// free are the rooms without an import rule of their own: app names everything, e2e is tests only.
var free = []string{"app", "e2e"}

// Every room of internal/ has a rule that says whom it may import. A room that nobody wrote a
// rule for would be free to import anything, in silence.
func TestEveryRoomHasAnImportRule(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join("..", "..", ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]struct {
						Files []string `yaml:"files"`
					} `yaml:"rules"`
				} `yaml:"depguard"`
			} `yaml:"settings"`
		} `yaml:"linters"`
	}
	if err := yaml.Unmarshal(source, &config); err != nil {
		t.Fatal(err)
	}
	ruled := map[string]bool{}
	for _, rule := range config.Linters.Settings.Depguard.Rules {
		for _, glob := range rule.Files {
			if room, ok := strings.CutPrefix(glob, "**/internal/"); ok {
				ruled[strings.TrimSuffix(room, "/**")] = true
			}
		}
	}
	if len(ruled) == 0 {
		t.Fatal("no import rule was found in .golangci.yml")
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "internal", "*", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("found no Go files under internal: %v", err)
	}
	missing := map[string]bool{}
	for _, file := range files {
		if room := filepath.Base(filepath.Dir(file)); !ruled[room] && !slices.Contains(free, room) {
			missing[room] = true
		}
	}
	for room := range missing {
		t.Errorf("internal/%s has no depguard rule in .golangci.yml: say there whom it may import", room)
	}
}
