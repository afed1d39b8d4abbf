// Command openapi turns what protoc-gen-openapiv3 writes into the document that is published: it merges the one raw
// document per service file into one, and states what the generator cannot know.
//
// The generator lets a body choose no target at all, describes requests and answers by one schema, leaves out the rules of
// buf.validate, knows one success status and one error for every RPC, and has no word for request headers or for streams
// of lines. Everything that this command adds is either the same for every
// RPC or read from the contract's descriptors, so a new target, reason or RPC needs no change here. It refuses to write
// anything when a place that it means to change does not look as expected: a new generator version is then read by a
// person instead of silently publishing a wrong contract. Output is the same, byte for byte, for the same input.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	raw := flag.String("raw", filepath.Join("bin", "openapi"), "folder of the generator's documents")
	image := flag.String("image", filepath.Join("bin", "portin.binpb"), "descriptor set of the contract, with its imports")
	out := flag.String("out", filepath.Join("gen", "openapi", "portin.openapi.json"), "document to write")
	flag.Parse()
	if err := run(*raw, *image, *out); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

// run reads the raw documents and the contract, and writes the finished document.
func run(raw, image, out string) error {
	set, err := os.ReadFile(image)
	if err != nil {
		return fmt.Errorf("read the descriptor set: %w", err)
	}
	facts, err := readContract(set)
	if err != nil {
		return fmt.Errorf("%s: %w", image, err)
	}
	parts, err := readParts(os.DirFS(raw))
	if err != nil {
		return fmt.Errorf("%s: %w", raw, err)
	}
	doc, err := finish(parts, facts)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return fmt.Errorf("make the output folder: %w", err)
	}
	if err := os.WriteFile(out, doc, 0o644); err != nil {
		return fmt.Errorf("write the document: %w", err)
	}
	return nil
}

// finish is the command without its files: raw documents in, the published document out.
func finish(parts []part, facts contract) ([]byte, error) {
	doc, err := merge(parts)
	if err != nil {
		return nil, err
	}
	for _, amend := range amendments() {
		if err := amend.apply(doc, facts); err != nil {
			return nil, fmt.Errorf("%s: %w", amend.name, err)
		}
	}
	return encode(doc)
}

// part is one raw document. Its name is the base name of the .proto file, which the generator makes the title of a
// document that has no annotation of its own.
type part struct {
	name string
	doc  object
}

// readParts reads every raw document below a folder, in the order of their paths.
func readParts(dir fs.FS) ([]part, error) {
	const suffix = ".openapi.json"
	var parts []part
	err := fs.WalkDir(dir, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, suffix) {
			return err
		}
		data, err := fs.ReadFile(dir, path)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		// Numbers stay as they are written: a float64 would rewrite the long ones.
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		var doc object
		if err := decoder.Decode(&doc); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		parts = append(parts, part{name: strings.TrimSuffix(entry.Name(), suffix), doc: doc})
		return nil
	})
	if err == nil && len(parts) == 0 {
		err = errors.New("no document there; has buf generate run?")
	}
	return parts, err
}

// encode writes the document: the reader's order at the top, alphabetical below.
func encode(doc object) ([]byte, error) {
	top := struct {
		OpenAPI      any `json:"openapi"`
		Info         any `json:"info"`
		Servers      any `json:"servers,omitempty"`
		Security     any `json:"security,omitempty"`
		ExternalDocs any `json:"externalDocs,omitempty"`
		Tags         any `json:"tags,omitempty"`
		Paths        any `json:"paths"`
		Components   any `json:"components"`
	}{
		doc["openapi"], doc["info"], doc["servers"], doc["security"], doc["externalDocs"], doc["tags"], doc["paths"],
		doc["components"],
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(top); err != nil {
		return nil, fmt.Errorf("encode the document: %w", err)
	}
	return out.Bytes(), nil
}
