package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"telltale/backend/job"
	"telltale/backend/store"
)

// maker makes jobs the way the engine does.
type maker struct {
	n atomic.Int64
}

func (m *maker) Read(p []byte) (int, error) {
	x := uint64(m.n.Add(1)) * 0x9e3779b97f4a7c15
	for i := range p {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		p[i] = byte(x >> 32)
	}
	return len(p), nil
}

var benchActions = []string{"push", "pull", "tests", "dedalus-test", "nightly", "backup", "deploy"}

func (m *maker) accept(at time.Time) job.Job {
	id, err := job.NewID(at, m)
	if err != nil {
		panic(err) // m never fails
	}
	n := int(m.n.Load() & 0xffffff)
	at = at.UTC().Truncate(time.Millisecond)
	return job.Accept(job.Job{
		ID: id, Action: benchActions[n%len(benchActions)], Title: "Do it", Target: fmt.Sprintf("peer-%02d", n%40),
		Trigger: job.Trigger{Via: job.ViaButton, By: fmt.Sprintf("user-%d", n%9)},
		Params:  map[string]any{"allow_unsigned": false, "branch": "main"},
	}, at)
}

// life is every revision of one job.
func (m *maker) life(at time.Time) []job.Job {
	j := m.accept(at)
	at = j.CreatedAt
	running, err := j.Start(at.Add(20*time.Millisecond), "server-1", "01a20e37-519c-7000-b998-7662ae2f1c22")
	if err != nil {
		panic(err)
	}
	percent := float64(m.n.Load() % 100)
	noted, err := running.Note(at.Add(500*time.Millisecond), job.Report{
		Phase: "Writing objects", Progress: &job.Progress{Percent: &percent, Done: 250, Total: 400, Unit: "objects", Rate: 118.2},
		Log: job.LogStat{Lines: m.n.Load() % 1000, Bytes: m.n.Load() % 100_000},
	})
	if err != nil {
		panic(err)
	}
	o := job.Outcome{State: job.Succeeded, Summary: fmt.Sprintf("%d commits pushed to peer/main", m.n.Load()%17)}
	if m.n.Load()%25 == 0 {
		o = job.Outcome{State: job.Failed, Error: &job.Error{Code: "non_fast_forward", Message: "The peer has commits you do not have.", Hint: "Pull first, then push again."}}
	}
	done, err := noted.Finish(at.Add(900*time.Millisecond), o)
	if err != nil {
		panic(err) // the lifecycle allows these
	}
	return []job.Job{j, running, noted, done}
}

// BenchmarkAppendIdle is one caller that waits for each change, against a bare
// append of 512 bytes with fdatasync on the same disk in the same run.
func BenchmarkAppendIdle(b *testing.B) {
	dir := b.TempDir()
	s := openFor(b, store.Options{Dir: dir})
	f, err := os.OpenFile(filepath.Join(dir, "floor"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var m maker
	buf := make([]byte, 512)
	var ours, floor []time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := f.Write(buf); err != nil {
			b.Fatal(err)
		}
		if err := datasync(f); err != nil {
			b.Fatal(err)
		}
		floor = append(floor, time.Since(start))
		start = time.Now()
		if _, _, err := s.Append(b.Context(), job.Change{Next: m.accept(start)}); err != nil {
			b.Fatal(err)
		}
		ours = append(ours, time.Since(start))
	}
	b.ReportMetric(float64(at(ours, 50))/float64(at(floor, 50)), "x_floor_p50")
	b.ReportMetric(float64(at(ours, 50).Microseconds()), "p50_us")
	b.ReportMetric(float64(at(ours, 99).Microseconds()), "p99_us")
	b.ReportMetric(float64(at(floor, 50).Microseconds()), "floor_p50_us")
	b.ReportMetric(float64(at(floor, 99).Microseconds()), "floor_p99_us")
}

func at(d []time.Duration, percent int) time.Duration {
	slices.Sort(d)
	return d[min(len(d)-1, len(d)*percent/100)]
}

const inFlight = 128

// BenchmarkAppend128 is 128 callers at once, each taking jobs through four
// changes, against 128 callers whose 512 bytes are appended by one goroutine
// with one fdatasync for all that wait.
func BenchmarkAppend128(b *testing.B) {
	dir := b.TempDir()
	s := openFor(b, store.Options{Dir: dir})
	var m maker
	work := func(n *atomic.Int64) {
		for n.Add(-4) > -4 {
			for _, j := range m.life(time.Now()) {
				if _, _, err := s.Append(context.Background(), job.Change{Want: j.Rev - 1, Next: j}); err != nil {
					b.Error(err)
					return
				}
			}
		}
	}
	const rounds = 40_000
	var ours, floor, ratio []float64
	for b.Loop() {
		f := floorRound(b, dir, rounds)
		o := round(rounds, work)
		ours, floor, ratio = append(ours, o), append(floor, f), append(ratio, o/f)
	}
	slices.Sort(ours)
	slices.Sort(floor)
	slices.Sort(ratio)
	b.ReportMetric(ours[len(ours)/2], "changes/s")
	b.ReportMetric(floor[len(floor)/2], "floor/s")
	b.ReportMetric(ratio[len(ratio)/2], "of_floor")
}

// round runs work in parallel until n changes are made and returns how many
// that were in a second.
func round(n int64, work func(left *atomic.Int64)) float64 {
	var left atomic.Int64
	left.Store(n)
	start := time.Now()
	var wg sync.WaitGroup
	for range inFlight {
		wg.Go(func() { work(&left) })
	}
	wg.Wait()
	return float64(n) / time.Since(start).Seconds()
}

func floorRound(b *testing.B, dir string, n int64) float64 {
	b.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "floor"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	in := make(chan chan error, inFlight)
	go func() {
		var waiting []chan error
		var buf []byte
		record := make([]byte, 512)
		for w := range in {
			waiting, buf = append(waiting[:0], w), append(buf[:0], record...)
			for more := true; more; {
				select {
				case w, ok := <-in:
					if more = ok; ok {
						waiting, buf = append(waiting, w), append(buf, record...)
					}
				default:
					more = false
				}
			}
			_, err := f.Write(buf)
			if err == nil {
				err = datasync(f)
			}
			for _, w := range waiting {
				w <- err
			}
		}
	}()
	defer close(in)
	return round(n, func(left *atomic.Int64) {
		done := make(chan error, 1)
		for left.Add(-1) >= 0 {
			in <- done
			if err := <-done; err != nil {
				b.Error(err)
			}
		}
	})
}

func openFor(tb testing.TB, o store.Options) *store.Store {
	tb.Helper()
	s, err := store.Open(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}
