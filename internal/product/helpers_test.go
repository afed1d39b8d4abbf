package product

import (
	"testing"

	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

func clone(o *portinv1.PortInOrder) *portinv1.PortInOrder {
	return proto.CloneOf(o)
}

// smallest is the smallest legal order of a target, normalised.
func smallest(t testing.TB, arm string) *portinv1.PortInOrder {
	t.Helper()
	return one(t, arm+"/smallest")
}

// fullest is the order of a target with everything that is legal for it, normalised.
func fullest(t testing.TB, arm string) *portinv1.PortInOrder {
	t.Helper()
	return one(t, arm+"/fullest")
}

func one(t testing.TB, pattern string) *portinv1.PortInOrder {
	t.Helper()
	o := goldens(t, pattern)[0].order
	Normalize(o)
	return o
}

// usualLimits are those of the service's settings.
func usualLimits() Limits {
	return Limits{MaxNumbers: 1000, MaxFileBytes: 10 << 20, MaxDocumentBytes: 25 << 20}
}
