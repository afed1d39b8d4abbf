package intake

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
)

// Resubmit places a new order made from an old one with corrections, in its place. The request is the intake's own.
func (in *Intake) Resubmit(ctx context.Context, req *portinv1.ResubmitPortInRequest) (*portinv1.ResubmitPortInResponse, error) {
	if v, ok := checkRequestID(req.GetRequestId(), req.GetValidateOnly()); !ok {
		return nil, fault.Fields([]fault.Violation{v})
	}
	old, err := in.owned(ctx, req.GetOrderId())
	if err != nil {
		return nil, writeFound(ctx, err)
	}
	o, err := corrected(old, req)
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

// mayCorrect refuses to put an order in the place of another one that may still be ported. A carrier that has that one is
// asked how it stands now, for what the ledger says can be old.
func (in *Intake) mayCorrect(ctx context.Context, old *ledger.Record) ([]*portinv1.Warning, error) {
	if old == nil {
		return nil, nil
	}
	now := *old
	if now.State == order.Accepted && now.Category() != order.CategoryClosed && now.Successor == "" {
		var err error
		if now, err = in.askAgain(ctx, now); err != nil {
			return nil, err
		}
	}
	if !now.Correctable() {
		return nil, notCorrectable(now)
	}
	if now.State != order.Accepted || now.Category() == order.CategoryClosed {
		return nil, nil
	}
	return []*portinv1.Warning{{
		Field: "order", Code: portinv1.WarningCode_WARNING_CODE_EARLIER_ORDER_STANDS,
		Description: "the carrier still has the rejected order that this one corrects, ticket " + now.Ticket +
			", and cannot cancel it here; ask its porting team to",
	}}, nil
}

// askAgain asks the carrier how an accepted order stands, and writes it down.
func (in *Intake) askAgain(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	asking, cancel := context.WithTimeout(ctx, in.Config.LookTimeout)
	defer cancel()
	answer, err := portstatus.Ask(asking, in.Carrier, r, func() bool { return in.alone(ctx, r) })
	switch {
	case ctx.Err() != nil:
		return r, ctxFault(ctx)
	case err != nil:
		f := fault.From(err)
		return r, fault.New(f.Reason, "the carrier could not be asked how the order that is corrected stands; nothing was sent").
			WithRetryAfter(f.RetryAfter).WithCause(err)
	case !answer.Said:
		return r, fault.New(fault.ReasonNotCorrectable, "the carrier does not say how the order that is corrected stands, so it may still be ported; ask its porting team").
			WithMetadata("order_id", r.OrderID)
	}
	now := in.Now()
	after, err := in.advance(ctx, r.OrderID, ledger.Step{Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
		if r.State != order.Accepted {
			return ledger.Entry{}, ledger.ErrMoved
		}
		answer.Keep(r, now)
		return ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCarrier}, Note: "the carrier was asked because another order is to correct this one"}, nil
	}})
	if err != nil {
		return r, writeFault(ctx, err)
	}
	return after, nil
}

// notCorrectable is the error of an order whose place no other one may take.
func notCorrectable(r ledger.Record) *fault.Error {
	e := fault.New(fault.ReasonNotCorrectable, "").WithMetadata("order_id", r.OrderID)
	switch {
	case r.Successor != "":
		e.Message = "the order was corrected by another one already; correct that one"
		e = e.WithMetadata("corrected_by_order_id", r.Successor)
	case r.State == order.NotSent:
		e.Message = "the order was not sent; send it again with its request_id, or place a new one"
	case r.State == order.Accepted && r.Status == order.StatusRejected:
		e.Message = "the porting team disputes the rejection of the order, so it may still be ported; wait"
	case r.State == order.Accepted:
		e.Message = fmt.Sprintf("the order is with the carrier and may still be ported (its status is %q); only one that is closed or rejected can be corrected", string(r.Status))
	default:
		e.Message = "the order is " + r.State.String() + "; wait until that is settled"
	}
	return e
}

// writeFound is the error of an order that was looked for before something was to be sent.
func writeFound(ctx context.Context, err error) error {
	e := readFault(ctx, err)
	if fault.Is(e, fault.ReasonLedgerUnavailable) {
		return ledgerDown(err)
	}
	return e
}

// corrected is the order that a request makes of an old one, as it would be placed. Of what is not kept of the old one, each
// document and password has to be given again or given up.
func corrected(old ledger.Record, req *portinv1.ResubmitPortInRequest) (*portinv1.PortInOrder, error) {
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
	c := correction{old: proto.CloneOf(o), mask: mask, dropped: req.GetDroppedDocuments()}
	for _, path := range mask {
		if problem := contract.Correct(o, corrections, path); problem != "" {
			c.refuse("update_mask", "has a path that "+problem)
		}
	}
	for _, path := range set {
		if !contract.Covers(mask, path) {
			c.refuse("order."+path, "is set, and update_mask does not name it; name it, or leave it out")
		}
	}
	c.checkWithheld()
	c.checkDocuments(o.GetForm())
	c.checkDropped()
	if len(c.violations) > 0 {
		contract.SortByField(req.ProtoReflect().Descriptor(), c.violations, func(v fault.Violation) string { return v.Field })
		return nil, fault.Fields(c.violations)
	}
	return o, nil
}

// correction is what a request does to an old order, and what is wrong with it.
type correction struct {
	old        *portinv1.PortInOrder
	mask       []string
	dropped    []string
	violations []fault.Violation
}

func (c *correction) refuse(field, description string) {
	c.violations = append(c.violations, fault.Violation{Field: field, Description: description})
}

var entryNumber = regexp.MustCompile(`\[\d+\]`)

// dropsIt reports whether a path is given up: by itself, or as one of all entries of its list.
func (c *correction) dropsIt(path string) bool {
	return slices.Contains(c.dropped, path) || slices.Contains(c.dropped, entryNumber.ReplaceAllString(path, ""))
}

// checkWithheld wants every password that the old order had to be given again, with its list, or to be given up.
func (c *correction) checkWithheld() {
	for _, path := range c.old.GetWithheldFields() {
		if !contract.Covers(c.mask, entryNumber.ReplaceAllString(path, "")) && !c.dropsIt(path) {
			c.refuse("order."+path, "was a password of the old order, which is not kept; give its list again with it, or name it in dropped_documents")
		}
	}
}

// documentLists are the lists of documents of a form, by their paths.
func documentLists(f *portinv1.PortForm) map[string]*[]*portinv1.Document {
	if f == nil {
		return nil
	}
	return map[string]*[]*portinv1.Document{
		"form.letters_of_authorization": &f.LettersOfAuthorization, "form.last_invoices": &f.LastInvoices,
		"form.blif_spreadsheets": &f.BlifSpreadsheets, "form.resp_org_forms": &f.RespOrgForms,
	}
}

// checkDocuments takes the documents that are given up out of a form, and wants the others of the old order to be given again.
func (c *correction) checkDocuments(f *portinv1.PortForm) {
	was := documentLists(c.old.GetForm())
	for path, list := range documentLists(f) {
		if contract.Covers(c.mask, path) || was[path] == nil || len(*was[path]) == 0 {
			continue
		}
		if c.dropsIt(path) {
			*list = nil
			continue
		}
		c.refuse("order."+path, "had documents in the old order, which are not kept; give them again, or name it in dropped_documents")
	}
}

// checkDropped refuses to give up what the old order did not have, or what is given again.
func (c *correction) checkDropped() {
	had := slices.Clone(c.old.GetWithheldFields())
	for path, list := range documentLists(c.old.GetForm()) {
		if len(*list) > 0 {
			had = append(had, path)
		}
	}
	for _, path := range c.old.GetWithheldFields() {
		had = append(had, entryNumber.ReplaceAllString(path, ""))
	}
	for i, path := range c.dropped {
		field := fmt.Sprintf("dropped_documents[%d]", i)
		switch {
		case !slices.Contains(had, path):
			c.refuse(field, "names no documents and no password that the old order had")
		case contract.Covers(c.mask, entryNumber.ReplaceAllString(path, "")):
			c.refuse(field, "names what update_mask gives again; leave it out of one of them")
		}
	}
}
