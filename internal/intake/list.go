package intake

import (
	"context"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/nanp"
)

const (
	// usualPage is how many entries a page has when the caller does not say.
	usualPage = 50
	// maxPage is how many bytes a page has at the most: gRPC clients take answers of 4 MiB by default. A single order can
	// be as large as maxContent and what is added to it.
	maxPage = 7 << 19
)

// List answers a page of orders, newest first.
func (in *Intake) List(ctx context.Context, req *portinv1.ListPortInOrdersRequest) (*portinv1.ListPortInOrdersResponse, error) {
	caller, err := callerOf(ctx)
	if err != nil {
		return nil, err
	}
	q, err := query(caller.Tenant, req)
	if err != nil {
		return nil, err
	}
	binding := in.bind(q)
	if q.After, err = readPosition(req.GetPageToken(), binding); err != nil {
		return nil, err
	}
	q.Limit, q.MaxBytes = pageSize(req.GetPageSize()), maxPage
	page, more, err := in.Ledger.List(ctx, q)
	if err != nil {
		return nil, readFault(ctx, err)
	}
	resp, size := &portinv1.ListPortInOrdersResponse{}, 0
	for i, r := range page {
		o, err := Render(r)
		if err != nil {
			return nil, err
		}
		if size += proto.Size(o) + entryRoom; i > 0 && size > maxPage {
			page, more = page[:i], true
			break
		}
		resp.Orders = append(resp.Orders, o)
	}
	if more && len(page) > 0 {
		last := page[len(page)-1]
		resp.NextPageToken = position{ledger.Position{Created: last.Created, OrderID: last.OrderID}}.token(binding)
	}
	return resp, nil
}

// entryRoom is what an entry of a list has beside itself: its tag and its length.
const entryRoom = 8

// Events answers a page of what happened to an order, oldest first.
func (in *Intake) Events(ctx context.Context, req *portinv1.ListPortInOrderEventsRequest) (*portinv1.ListPortInOrderEventsResponse, error) {
	caller, err := callerOf(ctx)
	if err != nil {
		return nil, err
	}
	orderID := strings.ToLower(req.GetOrderId())
	binding := in.bind([]any{caller.Tenant, orderID, req.GetWholeHistory()})
	after, err := readSequence(req.GetPageToken(), binding)
	if err != nil {
		return nil, err
	}
	size := pageSize(req.GetPageSize())
	events, err := in.Ledger.Events(ctx, caller.Tenant, orderID, req.GetWholeHistory(), after, size+1)
	if err != nil {
		return nil, readFault(ctx, err)
	}
	resp, bytes := &portinv1.ListPortInOrderEventsResponse{}, 0
	for i, e := range events {
		out := RenderEvent(e)
		if bytes += proto.Size(out) + entryRoom; i == size || (i > 0 && bytes > maxPage) {
			resp.NextPageToken = sequence(events[i-1].Sequence).token(binding)
			break
		}
		resp.Events = append(resp.Events, out)
	}
	return resp, nil
}

func pageSize(asked int32) int {
	if asked == 0 {
		return usualPage
	}
	return int(asked)
}

// query is what a list request of a tenant asks for, without its page.
func query(tenant string, req *portinv1.ListPortInOrdersRequest) (ledger.Query, error) {
	q := ledger.Query{
		Tenant: tenant, Ticket: req.GetTicketId(), CustomerReference: req.GetCustomerReference(), RequestID: strings.ToLower(req.GetRequestId()),
		History: strings.ToLower(req.GetHistoryId()), NeedsAttention: req.NeedsAttention,
	}
	var violations []fault.Violation
	for _, m := range []struct {
		field string
		is    *timestamppb.Timestamp
		into  *time.Time
	}{
		{"from_create_time", req.GetFromCreateTime(), &q.FromCreated},
		{"before_create_time", req.GetBeforeCreateTime(), &q.BeforeCreated},
		{"from_update_time", req.GetFromUpdateTime(), &q.FromUpdated},
		{"before_update_time", req.GetBeforeUpdateTime(), &q.BeforeUpdated},
	} {
		switch {
		case m.is == nil:
		case !m.is.IsValid():
			violations = append(violations, fault.Violation{Field: m.field, Description: "is not a time from the years 1 to 9999"})
		default:
			*m.into = m.is.AsTime()
		}
	}
	for _, s := range req.GetStates() {
		q.States = append(q.States, contract.StateOf(s))
	}
	for _, c := range req.GetCategories() {
		q.Categories = append(q.Categories, contract.CategoryOf(c))
	}
	for _, c := range req.GetAttentionCodes() {
		q.Attention = append(q.Attention, attentionOf(c))
	}
	if req.Number != nil {
		n, ok := nanp.Parse(req.GetNumber())
		if !ok {
			number := fault.Violation{Field: "number", Description: "is not a telephone number; write ten digits, or +1 and ten digits"}
			violations = append([]fault.Violation{number}, violations...)
		}
		q.Number = n.E164()
	}
	if len(violations) > 0 {
		return ledger.Query{}, fault.Fields(violations)
	}
	return q, nil
}
