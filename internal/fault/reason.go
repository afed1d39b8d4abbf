package fault

// Kind is the class of a failure. There is one for each gRPC code that the service answers with.
type Kind uint8

// The kinds. KindInternal is the zero value, so that what nobody classified is a fault of the service.
const (
	KindInternal Kind = iota
	KindInvalidArgument
	KindNotFound
	KindAlreadyExists
	KindFailedPrecondition
	KindResourceExhausted
	KindUnavailable
	KindDeadlineExceeded
	KindUnimplemented
	KindOutOfRange
	KindUnauthenticated
	KindPermissionDenied
	KindCancelled
	KindAborted
	// KindCount is how many kinds there are, for arrays indexed by kind and the tests that they are whole.
	KindCount
)

// Reason names what went wrong. The names are those of the contract's ErrorReason without its prefix; a test in rpc
// holds the two together.
type Reason string

// The reasons. The contract says what each means and gives an example.
const (
	ReasonInvalidFields      Reason = "INVALID_FIELDS"
	ReasonMalformedRequest   Reason = "MALFORMED_REQUEST"
	ReasonRequestTooLarge    Reason = "REQUEST_TOO_LARGE"
	ReasonPageTokenInvalid   Reason = "PAGE_TOKEN_INVALID"
	ReasonRequestIDReused    Reason = "REQUEST_ID_REUSED"
	ReasonNumberInOpenOrder  Reason = "NUMBER_IN_OPEN_ORDER"
	ReasonOrderNotFound      Reason = "ORDER_NOT_FOUND"
	ReasonPortInNotFound     Reason = "PORT_IN_NOT_FOUND"
	ReasonRouteNotFound      Reason = "ROUTE_NOT_FOUND"
	ReasonMethodNotAllowed   Reason = "METHOD_NOT_ALLOWED"
	ReasonDeadlineTooShort   Reason = "DEADLINE_TOO_SHORT"
	ReasonCarrierUnreachable Reason = "CARRIER_UNREACHABLE"
	ReasonCarrierUnreadable  Reason = "CARRIER_UNREADABLE"
	ReasonCarrierCredentials Reason = "CARRIER_CREDENTIALS"
	ReasonCarrierBusy        Reason = "CARRIER_BUSY"
	ReasonCarrierRefused     Reason = "CARRIER_REFUSED"
	ReasonCarrierInvalid     Reason = "CARRIER_INVALID"
	ReasonLedgerUnavailable  Reason = "LEDGER_UNAVAILABLE"
	ReasonNotOffered         Reason = "NOT_OFFERED"
	ReasonOrderNotInDoubt    Reason = "ORDER_NOT_IN_DOUBT"
	ReasonTicketMismatch     Reason = "TICKET_MISMATCH"
	ReasonWatchTokenExpired  Reason = "WATCH_TOKEN_EXPIRED"
	ReasonUnauthenticated    Reason = "UNAUTHENTICATED"
	ReasonPermissionDenied   Reason = "PERMISSION_DENIED"
	ReasonRateLimited        Reason = "RATE_LIMITED"
	ReasonShuttingDown       Reason = "SHUTTING_DOWN"
	ReasonCancelled          Reason = "CANCELLED"
	ReasonDeadlineExceeded   Reason = "DEADLINE_EXCEEDED"
	ReasonInternal           Reason = "INTERNAL"

	ReasonUnsupportedMediaType Reason = "UNSUPPORTED_MEDIA_TYPE"
	ReasonTicketUnverified     Reason = "TICKET_UNVERIFIED"
	ReasonOrderAttemptChanged  Reason = "ORDER_ATTEMPT_CHANGED"
	ReasonNotPlaced            Reason = "NOT_PLACED"

	ReasonNotCorrectable          Reason = "NOT_CORRECTABLE"
	ReasonWebhookEndpointNotFound Reason = "WEBHOOK_ENDPOINT_NOT_FOUND"
	ReasonWebhookEndpointIDReused Reason = "WEBHOOK_ENDPOINT_ID_REUSED"
	ReasonWebhookEndpointChanged  Reason = "WEBHOOK_ENDPOINT_CHANGED"
	ReasonTooManyWebhookEndpoints Reason = "TOO_MANY_WEBHOOK_ENDPOINTS"
	ReasonOrderNotErasable        Reason = "ORDER_NOT_ERASABLE"
	ReasonServiceBusy             Reason = "SERVICE_BUSY"
	ReasonIssuerUnreachable       Reason = "ISSUER_UNREACHABLE"
	ReasonOrderNotAccepted        Reason = "ORDER_NOT_ACCEPTED"
	ReasonClosingUnverified       Reason = "CLOSING_UNVERIFIED"
)

// kindOf holds the kind of every reason.
var kindOf = map[Reason]Kind{
	ReasonInvalidFields:      KindInvalidArgument,
	ReasonMalformedRequest:   KindInvalidArgument,
	ReasonRequestTooLarge:    KindResourceExhausted,
	ReasonPageTokenInvalid:   KindInvalidArgument,
	ReasonRequestIDReused:    KindAlreadyExists,
	ReasonNumberInOpenOrder:  KindAlreadyExists,
	ReasonOrderNotFound:      KindNotFound,
	ReasonPortInNotFound:     KindNotFound,
	ReasonRouteNotFound:      KindNotFound,
	ReasonMethodNotAllowed:   KindUnimplemented,
	ReasonDeadlineTooShort:   KindDeadlineExceeded,
	ReasonCarrierUnreachable: KindUnavailable,
	ReasonCarrierUnreadable:  KindUnavailable,
	ReasonCarrierCredentials: KindFailedPrecondition,
	ReasonCarrierBusy:        KindResourceExhausted,
	ReasonCarrierRefused:     KindFailedPrecondition,
	ReasonCarrierInvalid:     KindInvalidArgument,
	ReasonLedgerUnavailable:  KindUnavailable,
	ReasonNotOffered:         KindUnimplemented,
	ReasonOrderNotInDoubt:    KindFailedPrecondition,
	ReasonTicketMismatch:     KindFailedPrecondition,
	ReasonWatchTokenExpired:  KindOutOfRange,
	ReasonUnauthenticated:    KindUnauthenticated,
	ReasonPermissionDenied:   KindPermissionDenied,
	ReasonRateLimited:        KindResourceExhausted,
	ReasonShuttingDown:       KindUnavailable,
	ReasonCancelled:          KindCancelled,
	ReasonDeadlineExceeded:   KindDeadlineExceeded,
	ReasonInternal:           KindInternal,

	ReasonUnsupportedMediaType: KindInvalidArgument,
	ReasonTicketUnverified:     KindFailedPrecondition,
	ReasonOrderAttemptChanged:  KindFailedPrecondition,
	ReasonNotPlaced:            KindFailedPrecondition,

	ReasonNotCorrectable:          KindFailedPrecondition,
	ReasonWebhookEndpointNotFound: KindNotFound,
	ReasonWebhookEndpointIDReused: KindAlreadyExists,
	ReasonWebhookEndpointChanged:  KindAborted,
	ReasonTooManyWebhookEndpoints: KindFailedPrecondition,
	ReasonOrderNotErasable:        KindFailedPrecondition,
	ReasonServiceBusy:             KindResourceExhausted,
	ReasonIssuerUnreachable:       KindUnavailable,
	ReasonOrderNotAccepted:        KindFailedPrecondition,
	ReasonClosingUnverified:       KindFailedPrecondition,
}

// Kind is the class that the reason belongs to. A reason that is none of this package is internal.
func (r Reason) Kind() Kind {
	return kindOf[r]
}

// Reasons lists every reason, in no order; for tests and documents.
func Reasons() []Reason {
	all := make([]Reason, 0, len(kindOf))
	for r := range kindOf {
		all = append(all, r)
	}
	return all
}
