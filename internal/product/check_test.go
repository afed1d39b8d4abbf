package product

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

func orderDescriptor() protoreflect.MessageDescriptor {
	return (*portinv1.PortInOrder)(nil).ProtoReflect().Descriptor()
}

func TestCheckPassesHere(t *testing.T) {
	t.Parallel()
	if err := Check(orderDescriptor(), Specs(), os.DirFS("testdata")); err != nil {
		t.Error(err)
	}
	if err := Check(orderDescriptor(), Specs(), nil); err != nil {
		t.Errorf("at start-up: %v", err)
	}
}

// contractWith is the contract as it would be after a change: the order's file and the targets' file go through edit.
func contractWith(t *testing.T, edit func(order, targets *descriptorpb.FileDescriptorProto)) protoreflect.MessageDescriptor {
	t.Helper()
	order := protodesc.ToFileDescriptorProto(portinv1.File_portin_v1_order_proto)
	targets := protodesc.ToFileDescriptorProto(portinv1.File_portin_v1_target_proto)
	edit(order, targets)
	changed, err := protodesc.NewFile(targets, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	file, err := protodesc.NewFile(order, changedFiles{protoregistry.GlobalFiles, changed})
	if err != nil {
		t.Fatal(err)
	}
	return file.Messages().ByName("PortInOrder")
}

// changedFiles resolves the changed targets before the generated ones.
type changedFiles struct {
	*protoregistry.Files
	changed protoreflect.FileDescriptor
}

func (f changedFiles) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	if path == f.changed.Path() {
		return f.changed, nil
	}
	return f.Files.FindFileByPath(path)
}

func (f changedFiles) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if m := f.changed.Messages().ByName(name.Name()); m != nil && m.FullName() == name {
		return m, nil
	}
	return f.Files.FindDescriptorByName(name)
}

// addMessage adds the message of an eleventh target.
func addMessage(targets *descriptorpb.FileDescriptorProto) {
	targets.MessageType = append(targets.MessageType, &descriptorpb.DescriptorProto{Name: new("Eleventh")})
}

// addArm adds the arm of an eleventh target directly behind the tenth: protodesc wants the fields of a oneof together.
func addArm(order *descriptorpb.FileDescriptorProto, message string) {
	for _, m := range order.GetMessageType() {
		if m.GetName() != "PortInOrder" {
			continue
		}
		last := 0
		for i, f := range m.GetField() {
			if f.OneofIndex != nil && f.GetOneofIndex() == 0 {
				last = i
			}
		}
		m.Field = slices.Insert(m.GetField(), last+1, &descriptorpb.FieldDescriptorProto{
			Name: new("eleventh"), Number: new(int32(12)), OneofIndex: new(int32(0)),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
			Type:  descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), TypeName: new(".portin.v1." + message),
		})
	}
}

// eleventh is the Spec of an eleventh target.
func eleventh() Spec {
	s := virtualFax()
	s.Arm, s.Operation, s.Path = "eleventh", "Elevenths", "/NumberPorts/Inbound/Elevenths"
	return s
}

// goldenTree is the golden directories as they are, with an eleventh one but for the files that are left out.
func goldenTree(t *testing.T, without ...string) fs.FS {
	t.Helper()
	tree := fstest.MapFS{}
	for _, s := range Specs() {
		for _, file := range goldenFiles {
			tree[string(s.Arm)+"/"+file] = &fstest.MapFile{}
		}
	}
	for _, file := range goldenFiles {
		tree["eleventh/"+file] = &fstest.MapFile{}
	}
	tree["fuzz/FuzzNumber/1"] = &fstest.MapFile{}
	for _, file := range without {
		for name := range tree {
			if strings.HasPrefix(name, file) {
				delete(tree, name)
			}
		}
	}
	return tree
}

// TestAnEleventhTarget: with every piece the check passes, and without any one of them it fails and names the place.
func TestAnEleventhTarget(t *testing.T) {
	t.Parallel()
	whole := func(t *testing.T) protoreflect.MessageDescriptor {
		t.Helper()
		return contractWith(t, func(order, targets *descriptorpb.FileDescriptorProto) {
			addMessage(targets)
			addArm(order, "Eleventh")
		})
	}
	specs := append(Specs(), eleventh())
	unfinished := eleventh()
	unfinished.body = nil
	samePath := eleventh()
	samePath.Path = virtualFax().Path
	tests := []struct {
		name     string
		contract func(t *testing.T) protoreflect.MessageDescriptor
		specs    []Spec
		without  []string
		want     []string // in the error; none is no error
	}{
		{name: "whole", contract: whole, specs: specs},
		{
			name: "no arm", specs: specs,
			contract: func(t *testing.T) protoreflect.MessageDescriptor {
				t.Helper()
				return contractWith(t, func(_, targets *descriptorpb.FileDescriptorProto) { addMessage(targets) })
			},
			want: []string{"Spec eleventh is no arm", "message portin.v1.Eleventh in portin/v1/target.proto is no arm"},
		},
		{
			name: "no message of its own", specs: specs,
			contract: func(t *testing.T) protoreflect.MessageDescriptor {
				t.Helper()
				return contractWith(t, func(order, _ *descriptorpb.FileDescriptorProto) { addArm(order, "VirtualFax") })
			},
			want: []string{"arms virtual_fax and eleventh", "share the message portin.v1.VirtualFax"},
		},
		{
			name: "an arm that is no message", specs: specs,
			contract: func(t *testing.T) protoreflect.MessageDescriptor {
				t.Helper()
				return contractWith(t, func(order, _ *descriptorpb.FileDescriptorProto) {
					addArm(order, "VirtualFax")
					for _, f := range order.GetMessageType()[0].GetField() {
						if f.GetName() == "eleventh" {
							f.TypeName, f.Type = nil, descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum()
						}
					}
				})
			},
			want: []string{"arm eleventh", "is no message"},
		},
		{
			name: "no spec", contract: whole, specs: Specs(),
			want: []string{"arm eleventh", "has no Spec", "internal/product/eleventh.go", "testdata/eleventh belongs to no target"},
		},
		{
			name: "not in the order of the contract", contract: whole, specs: append([]Spec{eleventh()}, Specs()...),
			want: []string{"the registry is not in the order"},
		},
		{name: "twice in the registry", contract: whole, specs: append(specs, eleventh()), want: []string{"Spec eleventh stands twice"}},
		{name: "unfinished spec", contract: whole, specs: append(Specs(), unfinished), want: []string{"Spec eleventh is not whole"}},
		{name: "path of another", contract: whole, specs: append(Specs(), samePath), want: []string{"virtual_fax and eleventh have the same path"}},
		{
			name: "no goldens", contract: whole, specs: specs, without: []string{"eleventh/"},
			want: []string{"testdata/eleventh/fullest/request.json", "testdata/eleventh/smallest/upstream.json"},
		},
		{
			name: "no fullest golden", contract: whole, specs: specs, without: []string{"eleventh/fullest/"},
			want: []string{"target eleventh has no golden file testdata/eleventh/fullest/request.json"},
		},
		{
			name: "no upstream of the smallest golden", contract: whole, specs: specs, without: []string{"eleventh/smallest/upstream.json"},
			want: []string{"target eleventh has no golden file testdata/eleventh/smallest/upstream.json"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := Check(tt.contract(t), tt.specs, goldenTree(t, tt.without...))
			if err == nil && tt.want == nil {
				return
			}
			if err == nil || tt.want == nil {
				t.Fatalf("Check = %v, want %q", err, tt.want)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Check does not say %q:\n%v", want, err)
				}
			}
		})
	}
}

// TestASpecWithoutAPart: each part alone is enough to miss.
func TestASpecWithoutAPart(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(*Spec){
		"operation":  func(s *Spec) { s.Operation = "" },
		"path":       func(s *Spec) { s.Path = "" },
		"phones":     func(s *Spec) { s.phones = nil },
		"body":       func(s *Spec) { s.body = nil },
		"references": func(s *Spec) { s.references = nil },
	} {
		specs := Specs()
		remove(&specs[3])
		err := Check(orderDescriptor(), specs, nil)
		if err == nil || !strings.Contains(err.Error(), "Spec general_child_product is not whole") {
			t.Errorf("without its %s: %v", name, err)
		}
	}
}

func TestCheckWithoutAnythingToCheck(t *testing.T) {
	t.Parallel()
	form := (*portinv1.PortForm)(nil).ProtoReflect().Descriptor()
	if err := Check(form, Specs(), nil); err == nil || !strings.Contains(err.Error(), "portin.v1.PortForm has no oneof target") {
		t.Errorf("Check(PortForm) = %v", err)
	}
	if err := Check(orderDescriptor(), Specs(), os.DirFS("no such folder")); err == nil || !strings.Contains(err.Error(), "list the golden directories") {
		t.Errorf("Check without a folder = %v", err)
	}
}
