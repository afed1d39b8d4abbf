package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRunReplacesTheFolder(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "proto")
	stale := filepath.Join(out, "gone", "old.proto")
	if err := os.MkdirAll(filepath.Dir(stale), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stale, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(out, roots()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("a file of an earlier run stayed: %v", err)
	}
	// What annotations.proto imports is printed with it; what buf has built in is not.
	for _, name := range append(roots(), "google/api/http.proto") {
		source, err := os.ReadFile(filepath.Join(out, filepath.FromSlash(name)))
		if err != nil {
			t.Error(err)
		} else if !strings.Contains(string(source), "syntax = ") {
			t.Errorf("%s is no .proto file:\n%s", name, source)
		}
	}
	if _, err := os.Stat(filepath.Join(out, "google", "protobuf")); !os.IsNotExist(err) {
		t.Errorf("the well-known types were printed too: %v", err)
	}
}

func TestRunNamesEveryMissingFile(t *testing.T) {
	t.Parallel()
	err := run(filepath.Join(t.TempDir(), "proto"), []string{"a/a.proto", "google/rpc/status.proto", "b/b.proto"})
	if err == nil || !strings.Contains(err.Error(), "a/a.proto") || !strings.Contains(err.Error(), "b/b.proto") {
		t.Errorf("got %v, want an error that names a/a.proto and b/b.proto", err)
	}
}
