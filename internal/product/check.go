package product

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// goldenFiles are what every target's two own cases consist of.
var goldenFiles = []string{"fullest/request.json", "fullest/upstream.json", "smallest/request.json", "smallest/upstream.json"}

// Check holds the contract, the targets and the golden directories together, both ways. The error names every place
// where something is missing or left over: an arm without a Spec, a Spec without an arm, a message of the targets' file
// that is no arm, a target without its golden directory, a directory without its target. The service checks itself when
// it starts, without testdata (nil); a test checks all three.
func Check(order protoreflect.MessageDescriptor, specs []Spec, testdata fs.FS) error {
	oneof := targetOf(order)
	if oneof == nil {
		return fmt.Errorf("product: %s has no oneof target", order.FullName())
	}
	problems := slices.Concat(checkArms(oneof, specs), checkMessages(oneof), checkSpecs(specs))
	if testdata != nil {
		problems = append(problems, checkGoldens(specs, testdata)...)
	}
	return errors.Join(problems...)
}

// checkArms matches the arms of the oneof and the registry, in the same order.
func checkArms(oneof protoreflect.OneofDescriptor, specs []Spec) []error {
	var problems []error
	var arms []protoreflect.Name
	fields := oneof.Fields()
	for i := range fields.Len() {
		arms = append(arms, fields.Get(i).Name())
		if fields.Get(i).Message() == nil {
			problems = append(problems, fmt.Errorf("product: the arm %s of %s is no message", arms[i], oneof.FullName()))
		}
		// Without a Spec the arm would be accepted by the contract and refused by Of.
		if !slices.ContainsFunc(specs, func(s Spec) bool { return s.Arm == arms[i] }) {
			problems = append(problems, fmt.Errorf(
				"product: the arm %s of %s has no Spec: write internal/product/%s.go and add it to the registry in spec.go",
				arms[i], oneof.FullName(), arms[i]))
		}
	}
	var registered []protoreflect.Name
	for _, s := range specs {
		registered = append(registered, s.Arm)
		if !slices.Contains(arms, s.Arm) {
			problems = append(problems, fmt.Errorf("product: the Spec %s is no arm of %s", s.Arm, oneof.FullName()))
		}
	}
	// The order only says something once nothing is missing.
	if len(problems) == 0 && !slices.Equal(arms, registered) {
		problems = append(problems, fmt.Errorf("product: the registry is not in the order of %s: want %v", oneof.FullName(), arms))
	}
	return problems
}

// checkMessages matches the arms and the messages of the file that the targets stand in, one for one. Two arms that
// shared a message could never grow apart without a break of the contract.
func checkMessages(oneof protoreflect.OneofDescriptor) []error {
	var problems []error
	used := map[protoreflect.FullName]protoreflect.Name{}
	files := map[string]protoreflect.FileDescriptor{}
	fields := oneof.Fields()
	for i := range fields.Len() {
		m := fields.Get(i).Message()
		if m == nil {
			continue
		}
		if first, ok := used[m.FullName()]; ok {
			problems = append(problems, fmt.Errorf("product: the arms %s and %s of %s share the message %s; want one each",
				first, fields.Get(i).Name(), oneof.FullName(), m.FullName()))
		}
		used[m.FullName()] = fields.Get(i).Name()
		files[m.ParentFile().Path()] = m.ParentFile()
	}
	for name, file := range files {
		for i := range file.Messages().Len() {
			if m := file.Messages().Get(i); used[m.FullName()] == "" {
				problems = append(problems, fmt.Errorf("product: the message %s in %s is no arm of %s", m.FullName(), name, oneof.FullName()))
			}
		}
	}
	return problems
}

// checkSpecs looks for what a Spec cannot do without, and for two that are one: a path copied with the file would send
// an order to another product.
func checkSpecs(specs []Spec) []error {
	var problems []error
	arms, paths := map[protoreflect.Name]bool{}, map[string]protoreflect.Name{}
	for _, s := range specs {
		if s.Operation == "" || s.Path == "" || s.phones == nil || s.body == nil || s.references == nil {
			problems = append(problems, fmt.Errorf(
				"product: the Spec %s is not whole; it needs an operation, a path, phones, a body and references", s.Arm))
		}
		if arms[s.Arm] {
			problems = append(problems, fmt.Errorf("product: the Spec %s stands twice in the registry", s.Arm))
		}
		arms[s.Arm] = true
		if first, ok := paths[s.Path]; ok {
			problems = append(problems, fmt.Errorf("product: the Specs %s and %s have the same path %s", first, s.Arm, s.Path))
		}
		paths[s.Path] = s.Arm
	}
	return problems
}

// checkGoldens matches the targets and the golden directories. Go keeps what fuzzing finds in a directory of its own
// beside them.
func checkGoldens(specs []Spec, testdata fs.FS) []error {
	var problems []error
	for _, s := range specs {
		for _, file := range goldenFiles {
			name := path.Join(string(s.Arm), file)
			if _, err := fs.Stat(testdata, name); err != nil {
				problems = append(problems, fmt.Errorf("product: the target %s has no golden file testdata/%s: %w", s.Arm, name, err))
			}
		}
	}
	dirs, err := fs.ReadDir(testdata, ".")
	if err != nil {
		return append(problems, fmt.Errorf("product: list the golden directories: %w", err))
	}
	for _, dir := range dirs {
		isTarget := slices.ContainsFunc(specs, func(s Spec) bool { return string(s.Arm) == dir.Name() })
		if !isTarget && dir.Name() != "fuzz" {
			problems = append(problems, fmt.Errorf("product: testdata/%s belongs to no target of the registry", dir.Name()))
		}
	}
	return problems
}
