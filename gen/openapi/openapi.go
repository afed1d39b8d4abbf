// Package openapi holds the OpenAPI description of the JSON API, which `make generate` writes from proto/.
package openapi

import _ "embed"

// Document is the description, OpenAPI 3.1 in JSON. It is not to be written to.
//
//go:embed portin.openapi.json
var Document []byte
