package account

import "context"

// Look is what Run does now and then.
func (a *Accounts) Look(ctx context.Context) { a.look(ctx) }
