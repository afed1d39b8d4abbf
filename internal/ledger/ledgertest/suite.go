// Package ledgertest is the one conformance suite of the engines that keep a ledger: whoever passes it keeps the contract
// of ledger.Store.
//
// It promises that every sentence of that contract has a case that fails when the sentence is broken; its own tests break
// a store in many ways and see to that. It refuses to know an engine: it sees nothing but the contract, looks at no clock,
// and leaves the making of a ledger to whoever runs it.
package ledgertest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// Engine opens ledgers for the suite.
type Engine struct {
	// New makes a new, empty ledger. Every case gets one of its own.
	New func(t testing.TB) Ledger
	// patience is how long a case waits for what comes soon; zero is long enough for a busy machine.
	patience time.Duration
}

// Ledger is one ledger that can be opened several times.
type Ledger struct {
	// Open opens the ledger for a carrier. Whoever opens closes.
	Open func(ctx context.Context, carrier string) (ledger.Store, error)
	// Shared tells that several stores may be open at once; where it is false, a second Open is ledger.ErrInUse.
	Shared bool
}

// Carrier is the carrier that the suite opens ledgers for.
const Carrier = "https://carrier.example/rest.svc"

// Run holds an engine to the contract. Every case is a parallel subtest with a ledger of its own.
func Run(t *testing.T, e Engine) {
	t.Helper()
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.try(t, e)
		})
	}
}

// aCase is one case of the suite. Its name is a sentence of the contract.
type aCase struct {
	name string
	run  func(t *trial)
}

// try runs the case on a new ledger.
func (c aCase) try(t testing.TB, e Engine) {
	t.Helper()
	c.run(begin(t, e))
}

// cases lists the whole suite.
func cases() []aCase {
	return slices.Concat(
		recordCases(), claimCases(), reclaimCases(), correctCases(), guardCases(), followCases(), holdingCases(), collisionCases(), ticketCases(),
		stepCases(), eventCases(), listCases(), rowCases(), turnCases(), countCases(), feedCases(), endpointCases(), deliveryCases(),
		handoutCases(), ownersCases(), ofNumberCases(), openingCases(), adoptCases(), eraseCases(), closingCases(), cancelCases(), raceCases(),
		crowdCases(), modelCases(), hookModelCases(),
	)
}
