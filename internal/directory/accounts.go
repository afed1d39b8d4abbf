package directory

import "sync"

// Accounts are directories for accounts of the carrier: what an order may refer to is not the same with each. Build them with
// NewAccounts; their methods are safe for concurrent use.
type Accounts struct {
	config  Config
	carrier func(account string) Carrier

	mu  sync.Mutex
	all map[string]*Directory
}

// NewAccounts returns directories that ask through the carrier of each account.
func NewAccounts(carrier func(account string) Carrier, config Config) *Accounts {
	return &Accounts{config: config, carrier: carrier, all: map[string]*Directory{}}
}

// Of is the directory of an account. When the account has another way to the carrier, it has another directory.
func (a *Accounts) Of(account string) *Directory {
	way := a.carrier(account)
	a.mu.Lock()
	defer a.mu.Unlock()
	d := a.all[account]
	if d == nil || d.carrier != way {
		d = New(way, a.config)
		a.all[account] = d
	}
	return d
}
