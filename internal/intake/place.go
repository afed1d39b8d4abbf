package intake

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/inflight"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/product"
)

// CheckSize is the first look at a request, before anything walks it: counts and sizes. It also wants the idempotency key and the target
// that everything after it needs; where one of them is missing it refuses the request with every rule that the order breaks by itself.
func (in *Intake) CheckSize(req *portinv1.PortInRequest) error {
	o := req.GetOrder()
	violations := product.CheckSize(o, in.Config.Limits)
	unkeyed, keyed := checkRequestID(req.GetRequestId(), req.GetValidateOnly())
	_, targeted := product.Of(o)
	switch {
	case len(violations) == 0 && keyed && targeted:
		return nil
	case len(violations) == 0: // it can be nobody's replay: all that is wrong with it is told at once
		product.Normalize(o)
		violations = product.Validate(o)
	}
	if !keyed {
		violations = append(violations, unkeyed)
	}
	return fault.Fields(violations)
}

// checkRequestID wants a UUID that is not the zero one, unless the request only validates.
func checkRequestID(id string, validateOnly bool) (fault.Violation, bool) {
	const field = "request_id"
	if id == "" {
		return fault.Violation{Field: field, Description: "is missing; choose a UUID for this order and send it again with every retry"},
			validateOnly
	}
	parsed, err := uuid.Parse(id)
	if err != nil || len(id) != 36 {
		return fault.Violation{Field: field, Description: "is not a UUID; write 8-4-4-4-12 hexadecimal digits"}, false
	}
	if parsed == uuid.Nil {
		return fault.Violation{Field: field, Description: "is the zero UUID; choose one of its own for every order"}, false
	}
	return fault.Violation{}, true
}

// PortIn places an order, or answers what became of it. The request has passed CheckSize and is the intake's own from
// here on.
func (in *Intake) PortIn(ctx context.Context, req *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
	return in.submit(ctx, submission{order: req.GetOrder(), requestID: req.GetRequestId(), validateOnly: req.GetValidateOnly()})
}

// submission is an order that somebody wants to be placed.
type submission struct {
	order        *portinv1.PortInOrder
	requestID    string
	validateOnly bool
	// corrects is the order whose place it takes; nil when it takes none.
	corrects *ledger.Record
}

// predecessor is the ID of the order whose place it takes.
func (s submission) predecessor() string {
	if s.corrects == nil {
		return ""
	}
	return s.corrects.OrderID
}

// submit places an order, or answers what became of it.
func (in *Intake) submit(ctx context.Context, s submission) (*portinv1.PortInResponse, error) {
	caller, err := callerOf(ctx)
	if err != nil {
		return nil, err
	}
	o := s.order
	product.Normalize(o)
	content := contentOf(o)
	if s.validateOnly {
		account, err := in.accountOf(caller.Tenant)
		if err != nil {
			return nil, err
		}
		warnings, err := in.review(ctx, account, o)
		if err != nil {
			return nil, err
		}
		standing, err := in.mayCorrect(ctx, "", s.predecessor())
		if err != nil {
			return nil, err
		}
		return &portinv1.PortInResponse{Order: preview(content, product.Numbers(o), slices.Concat(warnings, standing.warnings()))}, nil
	}

	kept, err := proto.Marshal(content)
	if err != nil {
		return nil, fault.Internal(err)
	}
	spec, _ := product.Of(o) // CheckSize has seen that there is one
	key := strings.ToLower(s.requestID)
	before, err := in.Ledger.FindKey(ctx, caller.Tenant, key)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		account, err := in.accountOf(caller.Tenant)
		if err != nil {
			return nil, err
		}
		before = ledger.Record{
			OrderID: in.NewID(), Tenant: caller.Tenant, CarrierAccount: account, RequestID: key, Target: string(spec.Arm),
			CustomerReference: o.GetForm().GetCustomerReference(), Content: kept, Numbers: product.Numbers(o), Created: in.Now(),
			Predecessor: s.predecessor(),
		}
		before.History = before.OrderID
		if s.corrects != nil {
			before.History = s.corrects.History
		}
	case err != nil:
		return nil, writeFault(ctx, err)
	case !before.Erased.IsZero():
		return nil, reused(before)
	default:
		same, err := sameContent(before.Content, content)
		switch {
		case err != nil:
			return nil, fault.Internal(err)
		case !same || before.Predecessor != s.predecessor():
			return nil, reused(before)
		case before.State != order.NotSent:
			return in.replay(ctx, before)
		case before.Successor != "": // that one is sent instead
			return nil, corrected(before)
		}
	}
	in.Reach(PointKeyRead)
	return in.place(ctx, before, s)
}

// maxContent is how many bytes an order may have without its documents: a gRPC client takes answers of 4 MiB by default,
// and a caller that cannot read the answer to an order that was placed is as badly off as one that got none.
const maxContent = 3 << 20

// place sends an order that is new or was not sent: check, look, claim, post.
func (in *Intake) place(ctx context.Context, r ledger.Record, s submission) (*portinv1.PortInResponse, error) {
	if len(r.Content) > maxContent {
		return nil, fault.Fields([]fault.Violation{{
			Field: "order", Description: "holds more text than an answer can carry (3 MiB without documents); write less, or make several orders of it",
		}})
	}
	warnings, err := in.review(ctx, r.CarrierAccount, s.order)
	if err != nil {
		return nil, err
	}
	call, err := product.CarrierCall(s.order)
	if err != nil {
		return nil, fault.Internal(err)
	}
	if err := in.enoughTime(ctx); err != nil {
		return nil, err
	}
	seen, err := in.look(ctx, r)
	if err != nil {
		return nil, err
	}
	in.Reach(PointLooked)
	if seen.match {
		return in.adopt(ctx, r, seen)
	}
	standing, err := in.mayCorrect(ctx, r.OrderID, r.Predecessor)
	if err != nil {
		return in.outrun(ctx, r, err)
	}
	next, err := in.claimed(r, seen, slices.Concat(warnings, standing.warnings(), seen.warnings(r.CarrierAccount, standing)))
	if err != nil {
		return nil, fault.Internal(err)
	}
	next.Guards = len(standing) > 0
	f, mine, err := in.board(next.OrderID)
	if err != nil {
		return nil, err
	}
	if !mine {
		return in.await(ctx, f, true)
	}
	return in.fly(ctx, next, seen, call, f)
}

// fly claims an order and has it sent, and answers what becomes of it while the caller waits.
func (in *Intake) fly(ctx context.Context, next ledger.Record, seen sight, call carrier.Call, f *flight) (*portinv1.PortInResponse, error) {
	held, from, err := in.claim(ctx, next, seen.entry(actor(ctx, ledger.ByCaller)))
	switch unknown := (*unknownClaimError)(nil); {
	case errors.As(err, &unknown):
		f.answer(ledger.Record{}, writeFault(ctx, err))
		go in.unclaim(context.WithoutCancel(ctx), next, f)
		return nil, writeFault(ctx, err)
	case errors.Is(err, ledger.ErrMoved):
		in.land(next.OrderID, f, ledger.Record{}, err)
		return in.overtaken(ctx, held, next)
	case err != nil:
		in.land(next.OrderID, f, ledger.Record{}, err)
		return nil, writeFault(ctx, err)
	}
	in.Reach(PointClaimed)
	f.claim(held)
	inflight.From(ctx).Hold() // the POST has the documents; send lets go
	go in.send(context.WithoutCancel(ctx), held, call, f, from)
	return in.await(ctx, f, false)
}

// claimed is the record as it is written before the POST: nothing of an earlier attempt's answer is left, but for a
// reason to look that its answer, when it came too late, has left behind.
func (in *Intake) claimed(r ledger.Record, seen sight, warnings []*portinv1.Warning) (ledger.Record, error) {
	next := r.Clone()
	now := in.Now()
	next.State = order.Sending
	next.Attempt++
	next.Owner, next.Lease = in.newOwner(), in.Config.Lease
	next.Claimed, next.Updated, next.Settled = now, now, time.Time{}
	next.Reply, next.Message, next.ErrorID = "", "", ""
	next.Reason, next.Problem, next.RetryAfter = "", "", 0
	next.Doubt, next.Due = ledger.Doubt{}, time.Time{}
	next.Attention = slices.DeleteFunc(next.Attention, func(a ledger.Attention) bool { return a.Code != ledger.AttentionLateAnswer })
	next.LookFailed = next.LookFailed || seen.failed || seen.unnamed
	if seen.ticket != "" && !slices.Contains(next.Looks, seen.ticket) {
		next.Looks = append(next.Looks, seen.ticket)
	}
	var err error
	next.Warnings, err = packWarnings(warnings)
	return next, err
}

// overtaken answers a request whose key was claimed by another one between reading it and claiming it.
func (in *Intake) overtaken(ctx context.Context, now, wanted ledger.Record) (*portinv1.PortInResponse, error) {
	if !now.Erased.IsZero() {
		return nil, reused(now)
	}
	asked, err := contentIn(wanted)
	if err != nil {
		return nil, fault.Internal(err)
	}
	same, err := sameContent(now.Content, asked)
	switch {
	case err != nil:
		return nil, fault.Internal(err)
	case !same || now.Predecessor != wanted.Predecessor:
		return nil, reused(now)
	}
	return in.replay(ctx, now)
}

// outrun answers a new correction that may not be made: when the order has been corrected meanwhile, that can be the work of
// another request with the same key.
func (in *Intake) outrun(ctx context.Context, wanted ledger.Record, refusal error) (*portinv1.PortInResponse, error) {
	if wanted.Attempt > 0 || fault.From(refusal).Metadata[metadataSuccessor] == "" {
		return nil, refusal
	}
	now, err := in.Ledger.FindKey(ctx, wanted.Tenant, wanted.RequestID)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return nil, refusal
	case err != nil:
		return nil, writeFault(ctx, err)
	}
	return in.overtaken(ctx, now, wanted)
}

// enoughTime refuses to begin what the caller's deadline cannot see through.
func (in *Intake) enoughTime(ctx context.Context) error {
	deadline, ok := ctx.Deadline()
	if ok && time.Until(deadline) < in.Config.LeastRemaining {
		return fault.New(fault.ReasonDeadlineTooShort,
			"the deadline is too near to send an order; nothing was sent; allow at least "+in.Config.LeastRemaining.String())
	}
	return ctxFault(ctx)
}
