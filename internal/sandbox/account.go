package sandbox

import (
	"crypto/sha256"
	"slices"
)

// Account is a further account at the carrier.
type Account struct {
	Username, Password string
	// Pilots are the pilot numbers of its SIP trunks, all that differs in its lists.
	Pilots []int64
}

// SetPassword changes the password of an account, as its owner does at the
// carrier. The one before is taken no more.
func (c *Carrier) SetPassword(username, password string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passwords[username] = sha256.Sum256([]byte(password))
}

// catalogueOf is what an account's orders may refer to.
func (c *Carrier) catalogueOf(account string) *catalogue {
	i := slices.IndexFunc(c.config.Accounts, func(a Account) bool { return a.Username == account })
	if i < 0 {
		return c.catalogue
	}
	own := *c.catalogue
	own.trunks = nil
	for _, pilot := range c.config.Accounts[i].Pilots {
		own.trunks = append(own.trunks, trunk{Label: account, Number: pilot})
	}
	return &own
}
