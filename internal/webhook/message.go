package webhook

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/portin/portin/internal/ledger"
)

// webhookID is the webhook-id of a delivery: the same for every try, and no other delivery's. A ledger that was restored from a
// backup gives sequences again that receivers know, so the event's order and time are in it too.
func (w *Webhooks) webhookID(d ledger.Delivery) string {
	of := fmt.Sprintf("%s/%s/%d/%s/%d", w.ledger.ID(), d.EndpointID, d.Sequence, d.OrderID, d.Time.UnixMicro())
	sum := sha256.Sum256([]byte(of))
	return "msg_" + hex.EncodeToString(sum[:16])
}

// payload is the body of a message.
type payload struct {
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

// body is what an endpoint is told of an event, with its data as the JSON face writes them.
func (w *Webhooks) body(e ledger.Event) ([]byte, error) {
	data, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(w.render(e))
	if err != nil {
		return nil, fmt.Errorf("writing event %d as JSON: %w", e.Sequence, err)
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body) // compacts the data, which protojson spaces by chance
	encoder.SetEscapeHTML(false)
	err = encoder.Encode(payload{Type: "port_in_order." + strings.ToLower(string(e.Type)), Timestamp: e.Time.UTC(), Data: data})
	if err != nil {
		return nil, fmt.Errorf("writing event %d as JSON: %w", e.Sequence, err)
	}
	return bytes.TrimSuffix(body.Bytes(), []byte("\n")), nil
}

// signatures are what a message is signed with: one for each secret that is good now.
func signatures(secrets []secret, id string, at time.Time, body []byte) string {
	var all []string
	for _, s := range secrets {
		all = append(all, s.sign(id, at, body))
	}
	return strings.Join(all, " ")
}
