package engine

import (
	"context"
	"testing"
)

func TestNothingIsAdmittedOnceTelltaleStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g := newGate(1)
	for range 100 {
		if g.enter(ctx, "a", 0) == nil {
			t.Fatal("it was let in although there was room")
		}
	}
	if g.total != 0 || len(g.waiting) != 0 || len(g.actions) != 0 {
		t.Errorf("%d inside, %d waiting, %v", g.total, len(g.waiting), g.actions)
	}
}
