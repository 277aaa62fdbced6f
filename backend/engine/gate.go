package engine

import (
	"context"
	"slices"
	"sync"
)

// gate admits jobs to run: at most all at once, and at most limit of one
// action, in the order they asked. One that must wait for its action does not
// hold up those behind it.
type gate struct {
	all int

	mu      sync.Mutex // guards what follows
	total   int
	actions map[string]int
	waiting []*pass
}

type pass struct {
	action string
	limit  int // 0 is none
	open   chan struct{}
}

func newGate(all int) *gate { return &gate{all: all, actions: map[string]int{}} }

// enter waits for admission; leave must be called once for each nil returned.
func (g *gate) enter(ctx context.Context, action string, limit int) error {
	p := &pass{action: action, limit: limit, open: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, p)
	g.admit()
	g.mu.Unlock()
	select {
	case <-p.open:
	case <-ctx.Done():
	}
	if ctx.Err() == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, p); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		return ctx.Err()
	}
	g.release(p.action) // admitted, but ctx has ended
	return ctx.Err()
}

func (g *gate) leave(action string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.release(action)
}

func (g *gate) release(action string) {
	g.total--
	if g.actions[action]--; g.actions[action] == 0 {
		delete(g.actions, action)
	}
	g.admit()
}

func (g *gate) admit() {
	g.waiting = slices.DeleteFunc(g.waiting, func(p *pass) bool {
		if g.total >= g.all || (p.limit > 0 && g.actions[p.action] >= p.limit) {
			return false
		}
		g.total++
		g.actions[p.action]++
		close(p.open)
		return true
	})
}
