package handfile_test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/handfile"
)

func TestRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	for size, problem := range map[int]string{0: "", 4095: "", 4096: "", 4097: "the file is larger than 4 KiB", 1 << 20: "the file is larger than 4 KiB"} {
		if err := os.WriteFile(path, []byte(strings.Repeat("a", size)), 0o600); err != nil {
			t.Fatal(err)
		}
		content, err := handfile.Read(path, 4<<10)
		if problem != "" {
			if err == nil || err.Error() != problem {
				t.Errorf("of %d bytes: %v, want %s", size, err, problem)
			}
			continue
		}
		if err != nil || string(content) != strings.Repeat("a", size) {
			t.Errorf("of %d bytes: %d, %v", size, len(content), err)
		}
	}
}

func TestReadNothing(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	if _, err := handfile.Read(none, 10); !os.IsNotExist(err) || !strings.Contains(err.Error(), none) {
		t.Errorf("of no file: %v", err)
	}
	if _, err := handfile.Read(t.TempDir(), 10); err == nil {
		t.Error("a directory is a file")
	}
}

func TestLooks(t *testing.T) {
	t.Parallel()
	for name, looks := range map[string]struct {
		found string // at the start and then at each look, a letter for each content
		want  string // a + for each look that found something new
	}{
		"the same":                     {"aaaa", "---"},
		"a change":                     {"abbbb", "-+--"},
		"half a file, then all of it":  {"abcc", "--+"},
		"half a file, then the old":    {"abaa", "---"},
		"half a file more than once":   {"abacc", "---+"},
		"a file that is always new":    {"abcdefg", "------"},
		"back to what was before that": {"abbaa", "-+-+"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var l handfile.Looks
			var got strings.Builder
			for i := range looks.found {
				sum := sha256.Sum256([]byte(looks.found[i : i+1]))
				if i == 0 {
					l.Begin(sum)
					continue
				}
				got.WriteString(map[bool]string{true: "+", false: "-"}[l.Changed(sum)])
			}
			if diff := cmp.Diff(looks.want, got.String()); diff != "" {
				t.Errorf("of %s (-want +got):\n%s", looks.found, diff)
			}
		})
	}
}
