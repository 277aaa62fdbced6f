package store_test

import (
	"context"
	"fmt"
	"os"
	"runtime/pprof"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"telltale/backend/job"
	"telltale/backend/store"
)

func TestTmpBuild(t *testing.T) {
	dir := os.Getenv("TMPBUILD")
	if dir == "" {
		t.Skip()
	}
	records, _ := strconv.ParseInt(os.Getenv("TMPN"), 10, 64)
	s, err := store.Open(store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	apart := 365 * 24 * time.Hour / time.Duration(records)
	var m maker
	var made atomic.Int64
	go func() {
		for range 60 {
			time.Sleep(3 * time.Second)
			fmt.Println(made.Load(), memory("VmRSS"), memory("RssAnon"))
			if made.Load() > records*7/10 && made.Load() < records*8/10 {
				f, _ := os.Create("/tmp/exp/heap.prof")
				pprof.WriteHeapProfile(f)
				f.Close()
			}
		}
	}()
	built := round(records, func(left *atomic.Int64) {
		for left.Add(-1) >= 0 {
			life := m.life(t, began.Add(apart*time.Duration(made.Add(1))))
			life = append(life[:2], life[3])
			life[2].Rev = 3
			for _, j := range life {
				if _, _, err := s.Append(context.Background(), job.Change{Want: j.Rev - 1, Next: j}); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	t.Logf("built %.0f jobs/s, RSS %d MB, %d MB of it anonymous", built, memory("VmRSS"), memory("RssAnon"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
