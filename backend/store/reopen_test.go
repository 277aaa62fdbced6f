package store_test

import (
	"context"
	"os/exec"
	"sync"
	"testing"

	"telltale/backend/store"
)

// A program that is being started has, for an instant, every open file of its
// parent, and with it every lock.
func TestAStoreIsReopenedWhileProgramsAreStarted(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	var starters sync.WaitGroup
	for range 4 {
		starters.Go(func() {
			for ctx.Err() == nil {
				_ = exec.CommandContext(ctx, "true").Run()
			}
		})
	}
	defer starters.Wait()
	defer stop()
	dir := t.TempDir()
	for range 40 {
		s, err := store.Open(store.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
