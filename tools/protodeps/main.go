// Command protodeps prints, as .proto source, the descriptors that our own Go dependencies link, so that buf can
// resolve the imports of proto/ without a schema registry and with the network off.
//
// go.mod is thereby the one lock file: the rules that buf lints against are the rules that the validator enforces, and
// nobody else's file is copied into the tree. The output is comment-free (descriptors carry no comments), git-ignored,
// and replaced as a whole, so a file that a newer dependency no longer has does not stay behind.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	// Each of these registers, when linked, the files that roots names.
	_ "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	_ "github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv3/options"
	"github.com/jhump/protoreflect/v2/protoprint"
	_ "google.golang.org/genproto/googleapis/api/annotations"
	_ "google.golang.org/genproto/googleapis/rpc/errdetails"
	_ "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// wellKnown is the folder of files that buf has built in; printing them again would be a second definition.
const wellKnown = "google/protobuf/"

// roots are the files that our .proto files may import. What these import in turn is printed with them.
func roots() []string {
	return []string{
		"buf/validate/validate.proto",
		"google/api/annotations.proto",
		"google/api/field_behavior.proto",
		"google/api/resource.proto",
		"google/rpc/error_details.proto",
		"google/rpc/status.proto",
		"protoc-gen-openapiv3/options/annotations.proto",
	}
}

func main() {
	// Not a flag: the folder is replaced as a whole, and buf.yaml names it.
	if err := run(filepath.Join("third_party", "proto"), roots()); err != nil {
		fmt.Fprintln(os.Stderr, "protodeps:", err)
		os.Exit(1)
	}
}

// run replaces out by the named files and all that they import.
func run(out string, names []string) error {
	files, err := closure(names)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return fmt.Errorf("empty the output folder: %w", err)
	}
	for _, file := range files {
		if err := write(out, file); err != nil {
			return err
		}
	}
	return nil
}

// closure finds the named files and, transitively, their imports, each once and sorted by path. The well-known types
// are left out. It reports all names that nothing links at once, for each needs an import in this file.
func closure(names []string) ([]protoreflect.FileDescriptor, error) {
	found := map[string]protoreflect.FileDescriptor{}
	var visit func(protoreflect.FileDescriptor)
	visit = func(file protoreflect.FileDescriptor) {
		if _, seen := found[file.Path()]; seen || strings.HasPrefix(file.Path(), wellKnown) {
			return
		}
		found[file.Path()] = file
		for i := range file.Imports().Len() {
			visit(file.Imports().Get(i).FileDescriptor)
		}
	}
	var missing []error
	for _, name := range names {
		file, err := protoregistry.GlobalFiles.FindFileByPath(name)
		if err != nil {
			missing = append(missing, fmt.Errorf("%s is linked by no package that tools/protodeps imports: %w", name, err))
			continue
		}
		visit(file)
	}
	files := make([]protoreflect.FileDescriptor, 0, len(found))
	for _, file := range found {
		files = append(files, file)
	}
	slices.SortFunc(files, func(a, b protoreflect.FileDescriptor) int { return strings.Compare(a.Path(), b.Path()) })
	return files, errors.Join(missing...)
}

// write prints one file under out, at the path by which others import it.
func write(out string, file protoreflect.FileDescriptor) error {
	printer := protoprint.Printer{Indent: "  ", OmitComments: protoprint.CommentsAll}
	source, err := printer.PrintProtoToString(file)
	if err != nil {
		return fmt.Errorf("print %s: %w", file.Path(), err)
	}
	path := filepath.Join(out, filepath.FromSlash(file.Path()))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make the folder of %s: %w", file.Path(), err)
	}
	if err := os.WriteFile(path, []byte(source), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", file.Path(), err)
	}
	return nil
}
