package intake

import (
	"context"
	"errors"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

// Resubmit places a new order made from an old one with corrections, in its place. The request is the intake's own.
func (in *Intake) Resubmit(ctx context.Context, req *portinv1.ResubmitPortInRequest) (*portinv1.ResubmitPortInResponse, error) {
	if v, ok := checkRequestID(req.GetRequestId(), req.GetValidateOnly()); !ok {
		return nil, fault.Fields([]fault.Violation{v})
	}
	if problem := contract.CheckMask(req.GetUpdateMask().GetPaths()); problem != "" {
		return nil, fault.Fields([]fault.Violation{{Field: "update_mask", Description: problem}})
	}
	old, err := in.owned(ctx, req.GetOrderId())
	if err != nil {
		return nil, writeFound(ctx, err)
	}
	if !old.Erased.IsZero() {
		return nil, in.tooLate(ctx, old, req)
	}
	o, err := correct(old, req)
	if err != nil {
		return nil, err
	}
	if err := in.CheckSize(&portinv1.PortInRequest{Order: o, RequestId: req.GetRequestId(), ValidateOnly: req.GetValidateOnly()}); err != nil {
		return nil, err
	}
	resp, err := in.submit(ctx, submission{order: o, requestID: req.GetRequestId(), validateOnly: req.GetValidateOnly(), corrects: &old})
	if err != nil {
		return nil, err
	}
	return &portinv1.ResubmitPortInResponse{Order: resp.GetOrder(), Replayed: resp.GetReplayed()}, nil
}

// tooLate is the error of a request to correct an order that was erased. A key that is taken is answered first, as with any other
// order: what the request would make of the old order cannot be told any more, but there is an order that it may have made.
func (in *Intake) tooLate(ctx context.Context, old ledger.Record, req *portinv1.ResubmitPortInRequest) error {
	if req.GetValidateOnly() {
		return misplaced(old)
	}
	made, err := in.Ledger.FindKey(ctx, old.Tenant, strings.ToLower(req.GetRequestId()))
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return misplaced(old)
	case err != nil:
		return writeFault(ctx, err)
	case made.Predecessor != old.OrderID || !made.Erased.IsZero():
		return reused(made)
	}
	return fault.New(fault.ReasonRequestIDReused,
		"the request_id was used for a correction of this order, whose contents were removed since, so whether it was this one cannot be told; look at the correction").
		WithMetadata("order_id", made.OrderID)
}

// writeFound is the error of an order that was looked for before something was to be sent.
func writeFound(ctx context.Context, err error) error {
	e := readFault(ctx, err)
	if fault.Is(e, fault.ReasonLedgerUnavailable) {
		return ledgerDown(err)
	}
	return e
}

// correct is the order that a request makes of an old one, as it would be placed. Of what is not kept of the old one, each
// document and password has to be given again or given up.
func correct(old ledger.Record, req *portinv1.ResubmitPortInRequest) (*portinv1.PortInOrder, error) {
	o, err := contentIn(old)
	if err != nil {
		return nil, fault.Internal(err)
	}
	corrections := req.GetOrder()
	if corrections == nil {
		corrections = &portinv1.PortInOrder{}
	}
	set, mask := contract.SetPaths(corrections), req.GetUpdateMask().GetPaths()
	if len(mask) == 0 {
		mask = set
	}
	c := correction{old: proto.CloneOf(o), new: o, mask: mask, dropped: req.GetDroppedDocuments()}
	for _, path := range mask {
		if problem := contract.Correct(o, corrections, path); problem != "" {
			c.refuse("update_mask", "has a path that "+problem)
		}
	}
	for _, path := range set {
		// A message is set itself when it has nothing in it: what a mask names in it is then given as nothing, and removed.
		into := slices.ContainsFunc(mask, func(named string) bool { return contract.Covers([]string{path}, named) })
		if !into && !contract.Covers(mask, path) {
			c.refuse("order."+path, "is set, and update_mask does not name it; name it, or leave it out")
		}
	}
	c.checkWithheld()
	c.checkDocuments()
	c.checkDropped()
	if len(c.violations) > 0 {
		contract.SortByField(req.ProtoReflect().Descriptor(), c.violations, func(v fault.Violation) string { return v.Field })
		return nil, fault.Fields(c.violations)
	}
	return o, nil
}
