package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnknownVariables(t *testing.T) {
	t.Parallel()
	var c commandLine
	model := parser(t, &c).Model
	for name, c := range map[string]struct{ environ, want []string }{
		"nothing":                   {nil, nil},
		"settings":                  {[]string{"PORTIN_ORDERS_KEEP=8760h", "PORTIN_SANDBOX=true", "PORTIN_HTTP_CORS_ORIGINS=", "PORTIN_CARRIER_PASSWORD=" + hidden}, nil},
		"the settings file":         {[]string{"PORTIN_CONFIG=/etc/portin/portin.yaml"}, nil},
		"others' variables":         {[]string{"HOME=/root", "GOMEMLIMIT=1800MiB", "MY_PORTIN_ORDER_KEEP=1", "PORTIN=1", "PORTINS_KEEP=1", "portin_order_keep=1", "=C:=C:"}, nil},
		"misspelt":                  {[]string{"PORTIN_ORDER_KEEP=8760h"}, []string{"PORTIN_ORDER_KEEP"}},
		"several, and twice":        {[]string{"PORTIN_Z=" + hidden, "PORTIN_A=" + hidden, "PORTIN_Z=" + hidden}, []string{"PORTIN_A", "PORTIN_Z"}},
		"without a value":           {[]string{"PORTIN_A", "PORTIN_B="}, []string{"PORTIN_A", "PORTIN_B"}},
		"in other letters":          {[]string{"PORTIN_Orders_Keep=1", "PORTIN_ORDERS-KEEP=1"}, []string{"PORTIN_ORDERS-KEEP", "PORTIN_Orders_Keep"}},
		"a question is no variable": {[]string{"PORTIN_HELP=true"}, []string{"PORTIN_HELP"}},
		"a service of the cluster that is called portin": {[]string{
			"PORTIN_SERVICE_HOST=10.0.0.1", "PORTIN_SERVICE_PORT=50051", "PORTIN_SERVICE_PORT_GRPC=50051", "PORTIN_SERVICE_PORT_HTTP=8080",
			"PORTIN_PORT=tcp://10.0.0.1:50051", "PORTIN_PORT_8080_TCP=tcp://10.0.0.1:8080", "PORTIN_PORT_8080_TCP_PROTO=tcp",
			"PORTIN_PORT_8080_TCP_PORT=8080", "PORTIN_PORT_8080_TCP_ADDR=10.0.0.1", "PORTIN_PORT_53_UDP_ADDR=10.0.0.1",
		}, nil},
		// A release that is called portin-eu makes a service of that name.
		"one whose name begins so": {[]string{
			"PORTIN_EU_SERVICE_HOST=10.0.0.1", "PORTIN_EU_SERVICE_PORT=50051", "PORTIN_EU_SERVICE_PORT_GRPC=50051",
			"PORTIN_EU_PORT=tcp://10.0.0.1:50051", "PORTIN_EU_PORT_8080_TCP_ADDR=10.0.0.1",
		}, nil},
		// Nobody but a person names a port so where there is no such service.
		"what only looks like one": {
			[]string{"PORTIN_PORT=8080", "PORTIN_GRPC_PORT=50051", "PORTIN_PORTS=1", "PORTIN_PORT_HTTP=8080", "PORTIN_SERVICE=1", "PORTIN_HTTP_PORT_8080_TCP=1"},
			[]string{"PORTIN_GRPC_PORT", "PORTIN_HTTP_PORT_8080_TCP", "PORTIN_PORT", "PORTIN_PORTS", "PORTIN_PORT_HTTP", "PORTIN_SERVICE"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := UnknownVariables(model, c.environ)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("variables that are no setting (-want +got):\n%s", diff)
			}
			if strings.Contains(strings.Join(got, " "), hidden) {
				t.Errorf("a value is among the names: %q", got)
			}
		})
	}
}
