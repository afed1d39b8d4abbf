package app

import (
	"testing"

	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/inflight"
)

// The least that may be in flight is the largest order of either face, and the default has room for ten of the largest.
func TestTheLargestOrderFits(t *testing.T) {
	t.Parallel()
	for _, documents := range []int64{1, 3, 25 << 20, 1 << 30} {
		c := config.Default()
		c.Limits.DocumentBytes = documents
		for face, weight := range map[string]int64{
			"gRPC": inflight.OfMessage(documents + messageRoom), "JSON": inflight.OfJSON(documents*4/3 + messageRoom),
		} {
			if least := c.LargestOrder(); weight > least {
				t.Errorf("over %s an order with %d bytes of documents weighs up to %d, and at least %d may be in flight", face, documents, weight, least)
			}
		}
	}
	l := config.Default().Limits
	const text = 64 << 10
	for face, weight := range map[string]int64{"gRPC": inflight.OfMessage(l.DocumentBytes + text), "JSON": inflight.OfJSON(l.DocumentBytes*4/3 + text)} {
		if fit := l.BytesInFlight / weight; fit != 10 {
			t.Errorf("over %s %d of the largest orders fit, want 10", face, fit)
		}
	}
}
