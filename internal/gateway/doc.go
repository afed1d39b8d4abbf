// Package gateway is the JSON face of the gRPC services: the same calls as HTTP and JSON, their errors, their streams, and
// the documentation of both.
//
// It promises that a call over JSON passes the interceptors that a call over gRPC passes (InProcess), and that a request
// reaches the service only when all of it was understood: its path, every query parameter, its content type and every
// byte of its body. Every error is a google.rpc.Status as JSON with one google.rpc.ErrorInfo, whoever found it, its field
// paths in the spelling of the JSON body. What is known of the calls (routes, methods, bodies, parameters, field names)
// is read from the descriptors; nothing is listed here a second time.
//
// It refuses to say what a bad value was: an error names the position and the field, never the value. It refuses to pass
// headers on that are not on its list, to let a browser place an order that was not asked by CORS first, and to know what
// an order means: it imports the contract, and none of the service.
package gateway
