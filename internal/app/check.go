package app

import (
	"errors"
	"fmt"

	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/sandbox"
)

// Check reports everything that is wrong with settings, as far as it can be seen without starting anything.
func Check(c config.Config) error {
	err := c.Validate()
	if c.Sandbox {
		if _, unknown := sandbox.ParseUnknowns(c.Standin.Unknowns); unknown != nil {
			err = errors.Join(err, fmt.Errorf("sandbox-unknowns: %w", unknown))
		}
	}
	return err
}
