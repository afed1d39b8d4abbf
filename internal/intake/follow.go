package intake

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/nanp"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
)

// Follow makes an order of a port-in that was placed elsewhere, as the carrier now says that it stands. One that is here
// already is answered as it is.
func (in *Intake) Follow(ctx context.Context, req *portinv1.FollowPortInRequest) (*portinv1.PortInOrder, error) {
	caller, err := callerOf(ctx)
	if err != nil {
		return nil, err
	}
	account, err := in.accountOf(caller.Tenant)
	if err != nil {
		return nil, err
	}
	status, number, err := in.named(ctx, in.Carrier(account), req.GetPortIn())
	if err != nil {
		return nil, err
	}
	if err := in.unclaimedTicket(ctx, caller.Tenant, account, status, number); err != nil {
		return nil, err
	}
	r, err := in.elsewhere(req.GetPortIn(), status, number)
	if err != nil {
		return nil, fault.Internal(err)
	}
	r.Tenant, r.CarrierAccount = caller.Tenant, account
	held := &ledger.HeldError{}
	followed, err := in.Ledger.Follow(ctx, r, ledger.Entry{
		Actor: actor(ctx, ledger.ByCaller), Note: "a port-in that was placed elsewhere is followed from now on",
	})
	switch {
	case errors.Is(err, ledger.ErrTicketTaken) && followed.Tenant == r.Tenant:
		return Render(followed)
	case errors.Is(err, ledger.ErrTicketTaken):
		return nil, portstatus.Unknown()
	case errors.As(err, &held) && held.Holder.Tenant == r.Tenant && held.Holder.Elsewhere &&
		held.Holder.CarrierAccount == r.CarrierAccount && held.Holder.Ticket == r.Ticket:
		return Render(held.Holder)
	case errors.As(err, &held):
		return nil, numberHeld(r.Tenant, held)
	case err != nil:
		return nil, readFault(ctx, err)
	}
	in.Log.InfoContext(ctx, "a port-in that was placed elsewhere is followed", slog.String("order_id", r.OrderID), slog.String("ticket_id", r.Ticket))
	return Render(followed)
}

// unclaimedTicket refuses a ticket that can be that of an order, of any tenant, of which nobody knows yet whether the carrier has
// it: that order could never come to have it afterwards. The carrier names exactly the order's numbers for it, or none, and then
// it may be any order's that the request does not tell it from. A ticket that is here already is no matter of this.
func (in *Intake) unclaimedTicket(ctx context.Context, tenant, account string, status carrier.Status, number string) error {
	if status.Ticket == "" {
		return nil
	}
	mine, somebodys, err := in.doubtful(ctx, tenant, status, number)
	if err != nil {
		return readFault(ctx, err)
	}
	if mine == "" && !somebodys {
		return nil
	}
	owners, err := in.Ledger.Owners(ctx, account, status.Ticket, "")
	switch {
	case err != nil:
		return readFault(ctx, err)
	case slices.Contains(owners, tenant):
		return nil
	case mine == "":
		return fault.New(fault.ReasonTicketUnverified,
			"the carrier names no numbers for the ticket, or those of an order that is in doubt or being sent, so it may be that order's; ask again later")
	}
	return fault.New(fault.ReasonTicketUnverified,
		"the carrier names no numbers for the ticket, or those of an order that is in doubt or being sent, so it may be that order's; resolve that one first").
		WithMetadata("order_id", mine)
}

// doubtful is an order of the tenant that a ticket may be of while nobody knows whether the carrier has it, and whether there is
// such a one of any tenant, which may not be named.
func (in *Intake) doubtful(ctx context.Context, tenant string, status carrier.Status, number string) (mine string, somebodys bool, err error) {
	if len(status.Numbers) > 0 {
		number = nanp.Number(status.Numbers[0]).E164()
	}
	if number == "" {
		return in.anyDoubtful(ctx, tenant)
	}
	all, err := in.Ledger.OfNumber(ctx, ledger.NumberQuery{Number: number, Unsettled: true, Limit: 10}) // they hold it: there are hardly two
	for _, r := range all {
		if len(status.Numbers) > 0 && !portstatus.SameNumbers(r, status) {
			continue
		}
		somebodys = true
		if r.Tenant == tenant {
			mine = r.OrderID
		}
	}
	return mine, somebodys, err
}

// anyDoubtful is doubtful of a ticket that nothing tells from any order's.
func (in *Intake) anyDoubtful(ctx context.Context, tenant string) (mine string, somebodys bool, err error) {
	page, _, err := in.Ledger.List(ctx, ledger.Query{Tenant: tenant, States: []order.State{order.Sending, order.InDoubt}, Limit: 1, MaxBytes: maxPage})
	if err != nil {
		return "", false, err
	}
	if len(page) > 0 {
		return page[0].OrderID, true, nil
	}
	counts, err := in.Ledger.Count(ctx)
	return "", counts.Sending+counts.InDoubt > 0, err
}

// named asks the carrier about the port-in that a request names.
func (in *Intake) named(ctx context.Context, c Carrier, p *portinv1.FollowedPortIn) (status carrier.Status, number string, err error) {
	switch key := p.GetKey().(type) {
	case *portinv1.FollowedPortIn_Number:
		n, ok := nanp.Parse(key.Number)
		if !ok {
			return carrier.Status{}, "", fault.Fields([]fault.Violation{{Field: "port_in.number", Description: nanp.Want}})
		}
		number = n.E164()
		status, err = c.StatusByNumber(ctx, int64(n))
	default:
		status, err = c.StatusByTicket(ctx, p.GetTicketId())
		if fault.Is(err, fault.ReasonInvalidFields) {
			err = fault.Fields([]fault.Violation{{Field: "port_in.ticket_id", Description: "is not a ticket of the carrier"}})
		}
		if status.Ticket == "" {
			status.Ticket = p.GetTicketId()
		}
	}
	if ctx.Err() != nil {
		err = ctxFault(ctx)
	}
	return status, number, err
}

// elsewhere is the record of a port-in that was placed elsewhere.
func (in *Intake) elsewhere(p *portinv1.FollowedPortIn, status carrier.Status, number string) (ledger.Record, error) {
	content := &portinv1.PortInOrder{}
	if p.CustomerReference != nil {
		content.Form = &portinv1.PortForm{CustomerReference: p.CustomerReference}
	}
	kept, err := proto.Marshal(content)
	if err != nil {
		return ledger.Record{}, err
	}
	now, id := in.Now(), in.NewID()
	r := ledger.Record{
		OrderID: id, RequestID: id, CustomerReference: p.GetCustomerReference(), Content: kept,
		Elsewhere: true, History: id, State: order.Accepted, Ticket: status.Ticket,
		Created: now, Updated: now, Settled: now, Progressed: now, Due: in.steady(),
	}
	for _, n := range status.Numbers {
		r.Numbers = append(r.Numbers, nanp.Number(n).E164())
	}
	if len(r.Numbers) == 0 && number != "" {
		r.Numbers = []string{number}
	}
	portstatus.Observe(&r, status, now)
	if r.Ticket == "" {
		r.Attend(ledger.AttentionNoTicket, "the carrier names no ticket for the port-in; it is followed by its number", now)
	}
	return r, nil
}
