package sqlite

import "context"

// recent are orders as the writer left them a moment ago. Most steps follow the claim or another step closely, and reading an
// order back is a fifth of what a step costs. Nobody else writes to the file, so what is here is what is there; and whenever
// something is undone, all of it is forgotten.
type recent map[string]stored

// How many orders are remembered, and how large they are at the most.
const (
	recentOrders = 1024
	recentBytes  = 8 << 10
)

// keep remembers an order.
func (m recent) keep(s stored) {
	r := &s.record
	if len(r.Content)+len(r.Warnings)+len(r.Rejects)+len(r.Message)+len(s.looks)+len(s.numbers)+len(s.kept)+len(s.attention) > recentBytes {
		delete(m, r.OrderID)
		return
	}
	if len(m) >= recentOrders {
		clear(m)
	}
	s.record = r.Clone()
	m[r.OrderID] = s
}

// byID reads an order by its id.
func (t *transaction) byID(ctx context.Context, id string) (stored, error) {
	if s, ok := t.recent[id]; ok {
		s.record = s.record.Clone()
		return s, nil
	}
	return t.order(ctx, orderByID, id)
}
