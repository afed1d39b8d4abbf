package sqlite

import "sync"

// hints are those who want to know soon that something was committed. Nobody else writes to the file, so that this process
// knows of every commit.
type hints struct {
	mu  sync.Mutex
	all map[chan struct{}]struct{}
}

func newHints() *hints { return &hints{all: map[chan struct{}]struct{}{}} }

// tell tells everybody, and waits for nobody: one hint that was not taken yet says as much as two.
func (h *hints) tell() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.all {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Hint returns a channel on which something comes after events were committed, until stop is called; see ledger.Feed.
func (s *Store) Hint() (hint <-chan struct{}, stop func()) {
	h, c := s.writer.hints, make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all[c] = struct{}{}
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.all, c)
	}
}
