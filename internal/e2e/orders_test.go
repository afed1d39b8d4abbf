package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
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

// portinMessage is what every message of the contract is.
type portinMessage = proto.Message

// lockedBuffer is a log that many write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// sandboxOffering names an offering of the sandbox carrier for each product type.
var sandboxOffering = map[int]string{
	1: "OFF-GENERAL", 2: "OFF-CHILD", 3: "OFF-RESIDENTIAL", 4: "OFF-BUSINESS", 5: "OFF-FORWARD", 6: "OFF-BUSINESS-FORWARD", 7: "OFF-FAX",
}

// sandboxPlan names a plan of the sandbox carrier for each product type that has plans.
var sandboxPlan = map[int]string{3: "RES-BASIC", 4: "BUS-STANDARD", 5: "PCF-LOCAL"}

// golden reads a golden order of a target and makes it refer to what the sandbox carrier has.
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
	})
	if f := o.GetForm(); f.RequestedPortDate != nil { // the golden's date is over
		f.RequestedPortDate = new(time.Now().AddDate(0, 1, 0).Format(time.DateOnly))
	}
	return o
}

// refer replaces the fields of a message, at any depth, that are set and stand in the table.
func refer(m protoreflect.Message, values map[protoreflect.Name]protoreflect.Value) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if value, ok := values[fd.Name()]; ok {
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
	faces := map[string]func(*testing.T, *service, *portinv1.PortInOrder, string) *portinv1.PortInResponse{
		"gRPC": func(t *testing.T, s *service, o *portinv1.PortInOrder, key string) *portinv1.PortInResponse {
			t.Helper()
			resp, err := s.grpc.PortIn(t.Context(), &portinv1.PortInRequest{Order: o, RequestId: key})
			if err != nil {
				t.Fatal(err)
			}
			return resp
		},
		"JSON": func(t *testing.T, s *service, o *portinv1.PortInOrder, key string) *portinv1.PortInResponse {
			t.Helper()
			text, err := protojson.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			a := s.place(t, text, key)
			if a.status != 200 {
				t.Fatalf("HTTP %d: %s", a.status, a.body)
			}
			return message[portinv1.PortInResponse](t, a)
		},
	}
	for _, spec := range product.Specs() {
		for _, name := range []string{"smallest", "fullest"} {
			for face, placed := range faces {
				t.Run(strings.Join([]string{string(spec.Arm), name, face}, "/"), func(t *testing.T) {
					t.Parallel()
					s := start(t)
					o := golden(t, spec, name)
					resp := placed(t, s, o, newKey())
					got := resp.GetOrder()
					if got.GetState() != portinv1.OrderState_ORDER_STATE_ACCEPTED || !strings.HasPrefix(got.GetTicketId(), "SANDBOX-") {
						t.Fatalf("the order came back %v with ticket %q", got.GetState(), got.GetTicketId())
					}
					orders := s.orders(t)
					if len(orders) != 1 {
						t.Fatalf("the carrier got %d POSTs: %v", len(orders), orders)
					}
					path, body := wanted(t, o)
					if orders[0].Path != sandbox.BasePath+path {
						t.Errorf("the carrier got %s, want %s", orders[0].Path, path)
					}
					if diff := cmp.Diff(body, decoded(t, s.body(t, orders[0]))); diff != "" {
						t.Errorf("the carrier's body (-want +got):\n%s", diff)
					}
					for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
						if v := orders[0].Header.Get(name); v != "" {
							t.Errorf("the carrier got the header %s: %s", name, v)
						}
					}
				})
			}
		}
	}
}
