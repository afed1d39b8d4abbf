package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/product"
	"github.com/portin/portin/internal/sandbox"
)

// sandboxOffering names an offering of the sandbox carrier for each product type.
var sandboxOffering = map[int]string{
	1: "OFF-GENERAL", 2: "OFF-CHILD", 3: "OFF-RESIDENTIAL", 4: "OFF-BUSINESS", 5: "OFF-FORWARD", 6: "OFF-BUSINESS-FORWARD", 7: "OFF-FAX",
}

// sandboxPlan names a plan of the sandbox carrier for each product type that has plans.
var sandboxPlan = map[int]string{3: "RES-BASIC", 4: "BUS-STANDARD", 5: "PCF-LOCAL"}

// golden reads a golden order of a target, makes it refer to what the sandbox carrier has, and plants canaries.
func golden(t *testing.T, spec product.Spec, name string) *portinv1.PortInOrder {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "product", "testdata", string(spec.Arm), name, "request.json"))
	if err != nil {
		t.Fatal(err)
	}
	o := &portinv1.PortInOrder{}
	if err := protojson.Unmarshal(text, o); err != nil {
		t.Fatal(err)
	}
	refer(o.ProtoReflect(), map[protoreflect.Name]protoreflect.Value{
		"current_provider_id":            protoreflect.ValueOfInt32(3),
		"pilot_number":                   protoreflect.ValueOfString("+14165550100"),
		"offering_id":                    protoreflect.ValueOfString(sandboxOffering[spec.ProductType]),
		"parent_subscription_id":         protoreflect.ValueOfString("SUB-1001"),
		"plan_id":                        protoreflect.ValueOfString(sandboxPlan[spec.ProductType]),
		"account":                        protoreflect.ValueOfInt64(100234),
		"business_group_id":              protoreflect.ValueOfString("BG-TORONTO"),
		"business_group_subscription_id": protoreflect.ValueOfString("BG-TORONTO"),

		"sip_password":           protoreflect.ValueOfString("canary-password"),
		"web_self_care_password": protoreflect.ValueOfString("canary-password"),
	})
	plant(o.ProtoReflect())
	if f := o.GetForm(); f.RequestedPortDate != nil { // the golden's date is over
		f.RequestedPortDate = new(time.Now().AddDate(0, 1, 0).Format(time.DateOnly))
	}
	return o
}

// refer replaces the fields of a message, at any depth, that are set and stand in the table.
func refer(m protoreflect.Message, values map[protoreflect.Name]protoreflect.Value) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if value, ok := values[fd.Name()]; ok && !fd.IsList() {
			m.Set(fd, value)
			return true
		}
		switch {
		case fd.Message() == nil:
		case fd.IsList():
			for i := range v.List().Len() {
				refer(v.List().Get(i).Message(), values)
			}
		default:
			refer(v.Message(), values)
		}
		return true
	})
}

// order is a new order of one number that no other order of the carrier has. The outcome, when there is one, is what the
// carrier makes of it, time after time.
func (s *standin) order(t *testing.T, outcome string) *portinv1.PortInOrder {
	t.Helper()
	n := int(s.orders.Add(1))
	o := golden(t, product.Specs()[0], "smallest")
	o.Form.CustomerReference = new(fmt.Sprintf("canary-%d", n))
	o.Form.LettersOfAuthorization = []*portinv1.Document{{
		FileName: "canary.pdf", MimeType: "application/pdf", Content: []byte("%PDF-1.7\ncanary-document"),
	}}
	o.Form.SubmitterFirstName, o.Form.SubmitterLastName, o.Form.SubmitterPhoneNumber = new("Canary"), new("O'Canary"), new("(416) 555-0142")
	o.Form.CommentsLosingCarrier, o.Form.CommentsPortTeam = new("Ring the canary"), new("Feed the canary")
	o.Form.ExtraDetails = []*portinv1.ExtraDetail{{Key: "canary's gate", Value: "canary-pin-4711"}}
	o.Form.ServiceAddress.Unit, o.Form.ServiceAddress.Floor = new("canary-unit"), new("canary-floor")
	if outcome != "" {
		o.Form.CustomerName = "Sandbox " + outcome
	}
	o.GetTrunkDid().Dids = []*portinv1.TrunkDid_Did{{Number: numberOf(n)}}
	return o
}

// numberOf is the n-th of some thousand numbers that are for tests and choose no outcome, in E.164.
func numberOf(n int) string {
	area := 0
	for left := n / 50; ; left-- { // 555-0100 to 555-0149 of each area code
		area = nextArea(area)
		if left == 0 {
			return fmt.Sprintf("+1%d55501%02d", area, n%50)
		}
	}
}

// nextArea is the next area code that is neither toll-free nor reserved.
func nextArea(area int) int {
	const trunk = 416 // the sandbox's trunk has a number of its own there
	for area = max(area+1, 201); area == trunk || area%100 == 11 || area/10%10 == 9 || area/100 == 8; {
		area++
	}
	return area
}

// digits is the first number of an order as the carrier has it.
func digits(t *testing.T, o *portinv1.PortInOrder) int64 {
	t.Helper()
	normal := proto.CloneOf(o)
	product.Normalize(normal)
	var n int64
	if _, err := fmt.Sscanf(product.Numbers(normal)[0], "+1%d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// wanted is the call that the carrier should get for an order.
func wanted(t *testing.T, o *portinv1.PortInOrder) (path string, body any) {
	t.Helper()
	normal := proto.CloneOf(o)
	product.Normalize(normal)
	call, err := product.CarrierCall(normal)
	if err != nil {
		t.Fatal(err)
	}
	return call.Path, decoded(t, call.Body)
}

func decoded(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

func TestEveryTargetOverBothFaces(t *testing.T) {
	t.Parallel()
	for _, spec := range product.Specs() {
		for _, name := range []string{"smallest", "fullest"} {
			for e, f := range map[engine]face{sqlite: overJSON, postgres: overGRPC} {
				t.Run(strings.Join([]string{string(spec.Arm), name, string(f), string(e)}, "/"), func(t *testing.T) {
					t.Parallel()
					s := start(t, e)
					o := golden(t, spec, name)
					got := s.must(t, f, o, newKey(), accepted).order
					if !strings.HasPrefix(got.GetTicketId(), "SANDBOX-") {
						t.Fatalf("the order came back with ticket %q", got.GetTicketId())
					}
					posts := s.carrier.posts()
					if len(posts) != 1 {
						t.Fatalf("the carrier got %d POSTs: %v", len(posts), posts)
					}
					path, body := wanted(t, o)
					if posts[0].Path != sandbox.BasePath+path {
						t.Errorf("the carrier got %s, want %s", posts[0].Path, path)
					}
					if diff := cmp.Diff(body, decoded(t, posts[0].Body)); diff != "" {
						t.Errorf("the carrier's body (-want +got):\n%s", diff)
					}
					for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
						if v := posts[0].Header.Get(name); v != "" {
							t.Errorf("the carrier got the header %s: %s", name, v)
						}
					}
				})
			}
		}
	}
}
