package fault

import (
	"fmt"
	"runtime/debug"
)

// Panicked is the error of a panic, for the log. What was thrown may hold an order, so only its type is shown.
func Panicked(thrown any) error {
	stack := debug.Stack()
	return fmt.Errorf("a panic (%T) at:\n%s", thrown, stack[:min(len(stack), 2<<10)])
}
