package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/identity"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
)

// Erasure is an order whose personal data is to be removed.
type Erasure struct {
	// OrderID is the order's, and Tenant whose it is, as the callers file names it.
	OrderID, Tenant string
	// Reason is kept in the order's events.
	Reason string
}

// eraser is who erases by the command, as the order's events name it: nobody has asked who that was.
const eraser = "portin ledger erase"

// Erase removes the personal data of an order, as ErasePortInOrder does, with the ledger that the settings name. It says on out
// what it has done.
func Erase(ctx context.Context, c config.Config, e Erasure, log *slog.Logger, out io.Writer) (err error) {
	if err := c.Validate(); err != nil {
		return err
	}
	req := &portinv1.ErasePortInOrderRequest{OrderId: e.OrderID, Reason: e.Reason}
	for _, v := range contract.Violations(req) {
		return fmt.Errorf("%s %s", v.Field, v.Description)
	}
	if c.Ledger.File != "" { // one that is made on the spot would say that there is no such order
		if _, err := os.Stat(c.Ledger.File); err != nil {
			return fmt.Errorf("the ledger: %w", err)
		}
	}
	l, err := open(ctx, c)
	if errors.Is(err, ledger.ErrInUse) {
		return fmt.Errorf("%w. The service has it: call ErasePortInOrder there (POST /v1/port-ins/%s:erase), or stop it", err, e.OrderID)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	adopted, err := l.Adopt(ctx, "")
	if err != nil {
		return fmt.Errorf("asking the ledger which tenant its orders belong to: %w", err)
	}
	if e.Tenant == adopted {
		e.Tenant = ledger.Default
	}
	erasing := intake.New(intake.Params{Ledger: l, Log: log})
	erased, err := erasing.Erase(identity.With(ctx, identity.Caller{Name: eraser, Tenant: e.Tenant}), req)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "order %s: its personal data was removed at %s\n", erased.GetOrderId(), erased.GetEraseTime().AsTime().Format("2006-01-02T15:04:05Z"))
	return err
}
