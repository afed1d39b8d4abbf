package auth

import (
	"errors"

	"github.com/portin/portin/internal/fault"
)

// Refusal is why credentials were refused, for counting and for the log; empty when they were not. The caller is not told:
// whoever guesses learns nothing from it.
type Refusal string

// The refusals.
const (
	// NoCredentials: there are none.
	NoCredentials Refusal = "no_credentials"
	// Malformed: what is there is neither an API key nor a token that this service takes.
	Malformed Refusal = "malformed"
	// UnknownKey: an API key that no caller has.
	UnknownKey Refusal = "unknown_key"
	// UnknownCertificate: a certificate whose names are no caller's, or those of several.
	UnknownCertificate Refusal = "unknown_certificate"
	// TokenForged: a token that no key of the issuer signed.
	TokenForged Refusal = "token_forged"
	// TokenExpired: a token whose time is over or has not come.
	TokenExpired Refusal = "token_expired"
	// TokenForeign: a token of another issuer, for another audience, or whose claims cannot be read.
	TokenForeign Refusal = "token_foreign"
	// TokenOfNobody: a good token of somebody without a tenant or a scope here.
	TokenOfNobody Refusal = "token_of_nobody"
	// KeysMissing: a token that may be good, but the issuer's keys could not be had since the start. Its caller is told to come
	// back, for it may well be let in then.
	KeysMissing Refusal = "keys_missing"
)

// Refusals lists every refusal, so that a metric can begin with all of them.
func Refusals() []Refusal {
	return []Refusal{
		NoCredentials, Malformed, UnknownKey, UnknownCertificate, TokenForged, TokenExpired, TokenForeign, TokenOfNobody, KeysMissing,
	}
}

// refusedError is the hidden cause of a refusal.
type refusedError struct{ why Refusal }

func (e *refusedError) Error() string { return "refused: " + string(e.why) }

// answer is the one answer to whoever is refused, but for whom it is too early to refuse.
func answer(why Refusal) error {
	told := fault.New(fault.ReasonUnauthenticated, "the request has no credentials that are valid here")
	if why == KeysMissing {
		told = fault.New(fault.ReasonIssuerUnreachable, "the keys that tokens are checked with cannot be had yet; try again").WithRetryAfter(fetchEvery)
	}
	return told.WithCause(&refusedError{why})
}

// Why returns why Authenticate refused with err, for the log; empty when err is no refusal.
func Why(err error) Refusal {
	refused, ok := errors.AsType[*refusedError](err)
	if !ok {
		return ""
	}
	return refused.why
}

// Observer is told what becomes of credentials, for metrics. Its methods are called at the same time from several goroutines,
// and do not block.
type Observer interface {
	// Refused tells of a request that was refused, and why.
	Refused(why Refusal)
	// Roster tells whether the roster's file, as it now is, is the one in force.
	Roster(ok bool)
	// Keys tells whether the issuer's keys could be fetched.
	Keys(ok bool)
}

// nobody is an observer that looks away.
type nobody struct{}

// Refused does nothing.
func (nobody) Refused(Refusal) {}

// Roster does nothing.
func (nobody) Roster(bool) {}

// Keys does nothing.
func (nobody) Keys(bool) {}
