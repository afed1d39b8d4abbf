package app

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"text/template"

	"github.com/google/uuid"
)

// firstOrder is the order that the sandbox takes, as the body of a port-in.
//
//go:embed first_order.json
var firstOrder []byte

// welcomeText is what a person sees who started the service with the sandbox. Both commands place the same order under the
// same key, so the second one answers what the first one did; tools/smoke.sh runs each command as it is printed. None is printed
// that would be refused, for want of a certificate or of a key.
const welcomeText = `
portin {{.Version}} is ready. Orders go to the sandbox carrier; nothing is ported.{{if .ThrowAway}} The ledger is thrown away at the end.{{end}}

  gRPC                 {{.GRPC}}
  JSON                 {{.Scheme}}://{{.HTTP}}/v1
  documentation        {{.Scheme}}://{{.HTTP}}/docs/
  the sandbox carrier  http://{{.Sandbox}}/_sandbox/
  readiness, metrics   http://{{.Admin}}/readyz, /metrics
{{if .Open}}
Place the first order, over JSON:

curl -sS 'http://{{.HTTP}}/v1/port-ins' -H 'Content-Type: application/json' -H 'Idempotency-Key: {{.Key}}' -d '{{.Order}}'

The same over gRPC (in this folder), which answers the same order, "replayed":

go tool -modfile=tools/buf/go.mod buf curl --protocol grpc --http2-prior-knowledge -d '{"requestId":"{{.Key}}","order":{{.Order}}}' 'http://{{.GRPC}}/portin.v1.PortInService/PortIn'

Watch what becomes of orders, until you stop it:

curl -sSN 'http://{{.HTTP}}/v1/port-ins:watch'
{{else}}
It is encrypted, or asks who calls: docs/security.md says how to call it.
{{end}}
What the carrier received:

curl -sS 'http://{{.Sandbox}}/_sandbox/requests'

`

// welcome prints how to place the first order. Without the sandbox it prints nothing: an order would be a real one.
func (a *App) welcome(out io.Writer) error {
	if a.sandbox == nil {
		return nil
	}
	var order bytes.Buffer
	if err := json.Compact(&order, firstOrder); err != nil {
		return fmt.Errorf("the first order: %w", err)
	}
	page, err := template.New("welcome").Parse(welcomeText)
	if err != nil {
		return fmt.Errorf("the welcome: %w", err)
	}
	scheme := "http"
	if a.config.TLS.CertFile != "" {
		scheme = "https"
	}
	return page.Execute(out, map[string]any{
		"Scheme": scheme, "Open": scheme == "http" && a.config.Auth.CallersFile == "",
		"Version": a.version, "GRPC": a.GRPCAddress, "HTTP": a.HTTPAddress, "Sandbox": a.SandboxAddress,
		"Admin": a.AdminAddress, "ThrowAway": a.ledger.folder != "",
		"Key": uuid.NewString(), "Order": order.String(),
	})
}
