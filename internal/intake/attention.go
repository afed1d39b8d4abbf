package intake

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

// attentionPrefix begins the contract's names of the ledger's reasons for attention, which are alike otherwise.
const attentionPrefix = "ATTENTION_CODE_"

// attentionCode is the contract's word for a reason; UNSPECIFIED for one that it has no word for.
func attentionCode(code ledger.AttentionCode) portinv1.AttentionCode {
	return portinv1.AttentionCode(portinv1.AttentionCode_value[attentionPrefix+string(code)])
}

// attentionOf is the reason that a word of the contract stands for. No order has that of a word that is none.
func attentionOf(word portinv1.AttentionCode) ledger.AttentionCode {
	return ledger.AttentionCode(strings.TrimPrefix(word.String(), attentionPrefix))
}

// Acknowledge takes a reason for attention away from an order, because an operator says so; but not that an order in doubt waits for a
// decision, which is one of its own. An order that has no such reason is answered as it is.
func (in *Intake) Acknowledge(ctx context.Context, req *portinv1.AcknowledgeAttentionRequest) (*portinv1.PortInOrder, error) {
	code := attentionOf(req.GetCode())
	if code == ledger.AttentionInDoubtUnresolved {
		return nil, fault.Fields([]fault.Violation{{Field: "code", Description: "is taken away by ResolveInDoubt; every other reason can be acknowledged"}})
	}
	r, err := in.owned(ctx, req.GetOrderId())
	if err != nil {
		return nil, readFault(ctx, err)
	}
	now, err := in.advance(ctx, r.OrderID, ledger.Step{Now: in.Now(), OfErased: true, Change: func(r *ledger.Record) (ledger.Entry, error) {
		if !r.Attends(code) {
			return ledger.Entry{}, ledger.ErrMoved
		}
		r.Unattend(code)
		if code == ledger.AttentionNoProgress {
			r.Progressed = in.Now()
		}
		return ledger.Entry{Type: ledger.EventAttentionChanged, Actor: actor(ctx, ledger.ByOperator), Note: req.GetReason()}, nil
	}})
	switch {
	case errors.Is(err, ledger.ErrMoved):
		return Render(now)
	case err != nil:
		return nil, readFault(ctx, err)
	}
	in.Log.WarnContext(ctx, "an operator acknowledged why an order needed attention", slog.String("order_id", r.OrderID), slog.Any("code", code))
	return Render(now)
}
