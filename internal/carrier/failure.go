package carrier

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
)

// failure names why an exchange has no answer, or an answer no body. The words go into events and logs.
type failure string

const (
	failureRequest   failure = "the request could not be built"
	failureName      failure = "the carrier's name was not found"
	failureDial      failure = "no connection was made"
	failureHandshake failure = "TLS was not agreed on"
	failureTimeout   failure = "the time was up"
	failureCancelled failure = "the exchange was given up"
	failureReset     failure = "the connection was reset"
	failureCut       failure = "the connection was cut"
	failureTooLarge  failure = "the answer was too large"
	failureEncoded   failure = "the answer was encoded"
	failureForeign   failure = "the answer was not one to read"
	failureBroken    failure = "no HTTP answer could be read"
	failurePanic     failure = "the client failed"
)

// errPath stands for every error about a request that cannot be built.
var errPath = errors.New("carrier: the path of the request is not one")

// failureOf names an error of net/http by its types, never by its text. Where it went wrong comes before how: a dial
// that runs out of time is a failed dial.
func failureOf(err error) failure {
	var (
		name      *net.DNSError
		handshake *handshakeError
		op        *net.OpError
		timed     interface{ Timeout() bool }
	)
	switch {
	case errors.As(err, &name):
		return failureName
	case errors.As(err, &handshake):
		return failureHandshake
	case errors.As(err, &op) && op.Op == "dial":
		return failureDial
	case errors.Is(err, context.Canceled):
		return failureCancelled
	case errors.As(err, &timed) && timed.Timeout():
		return failureTimeout
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return failureReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return failureCut
	}
	return failureBroken
}

// causeOf is what of an error may be kept for the log. Before anything was written it can only speak of addresses and
// certificates; afterwards net/http may quote what the carrier sent, so only the name of the failure is kept.
func causeOf(err error, unwritten bool) error {
	if unwritten {
		return err
	}
	return errors.New(string(failureOf(err)))
}
