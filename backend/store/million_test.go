package store_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"telltale/backend/job"
	"telltale/backend/store"
)

// BenchmarkList100k measures the read side over 100,000 records.
func BenchmarkList100k(b *testing.B) { benchList(b, 100_000) }

// BenchmarkList1M does so over a million; building them takes a minute or two.
func BenchmarkList1M(b *testing.B) { benchList(b, 1_000_000) }

// began is when the year of the benchmarks begins.
var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// benchList builds a year of records, opens the store again and reads the
// newest 50 in each way a page asks for them.
func benchList(b *testing.B, records int64) {
	b.Helper()
	dir := b.TempDir()
	s, err := store.Open(store.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	apart := 365 * 24 * time.Hour / time.Duration(records)
	var m maker
	var made atomic.Int64
	built := round(records, func(left *atomic.Int64) {
		for left.Add(-1) >= 0 {
			life := m.life(began.Add(apart * time.Duration(made.Add(1))))
			life = append(life[:2], life[3])
			life[2].Rev = 3
			for _, j := range life {
				if _, _, err := s.Append(context.Background(), job.Change{Want: j.Rev - 1, Next: j}); err != nil {
					b.Error(err)
					return
				}
			}
		}
	})
	b.Logf("built %.0f jobs/s, RSS %d MB, %d MB of it anonymous", built, memory("VmRSS"), memory("RssAnon"))
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	// The first life tidies up after the bulk load, the second is like any other.
	var out []byte
	for range 2 {
		out, err = exec.CommandContext(b.Context(), os.Args[0], childMark, "measure", dir).CombinedOutput()
		b.Logf("%s", out)
	}
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(out)) { // figures are "name value unit"
		if f := strings.Fields(line); len(f) == 3 {
			if v, err := strconv.ParseFloat(f[1], 64); err == nil {
				b.ReportMetric(v, f[0]+"_"+f[2])
			}
		}
	}
	b.ReportMetric(float64(diskUse(b, filepath.Join(dir, "db"))/records), "B/record")
}

// measure opens a store in a process of its own, which has nothing else in
// memory, and reads the newest 50 in each way a page asks for them.
func measure(dir string) error {
	start := time.Now()
	s, err := store.Open(store.Options{Dir: dir})
	if err != nil {
		return err
	}
	figure := func(name string, v int64, unit string) { fmt.Fprintf(os.Stdout, "%s %d %s\n", name, v, unit) }
	figure("open", time.Since(start).Milliseconds(), "ms")
	figure("open_rss", int64(memory("VmRSS")), "MB")
	queries := []struct {
		name string
		f    job.Filter
	}{
		{"newest", job.Filter{}},
		{"action", job.Filter{Actions: []string{"push"}}},
		{"state", job.Filter{States: []job.State{job.Failed}}},
		{"target", job.Filter{Targets: []string{"peer-07"}}},
		{"by", job.Filter{By: []string{"user-3"}}},
		{"three", job.Filter{Actions: []string{"push"}, Targets: []string{"peer-07"}, States: []job.State{job.Succeeded}}},
		{"time", job.Filter{Since: began.Add(100 * 24 * time.Hour), Until: began.Add(200 * 24 * time.Hour)}},
		{"time+state", job.Filter{Until: began.Add(200 * 24 * time.Hour), States: []job.State{job.Failed}}},
		{"text", job.Filter{Text: "16 commits"}},
	}
	ctx := context.Background()
	for _, q := range queries {
		var took []time.Duration
		for range 300 {
			start := time.Now()
			page, err := s.List(ctx, q.f, "", 50)
			if err != nil || len(page.Events) != 50 {
				return fmt.Errorf("%s: %d events, %w", q.name, len(page.Events), err)
			}
			took = append(took, time.Since(start))
		}
		figure(q.name+"_first", took[0].Microseconds(), "us")
		figure(q.name+"_p50", at(took, 50).Microseconds(), "us")
		figure(q.name+"_p99", at(took, 99).Microseconds(), "us")
	}
	figure("warm_rss", int64(memory("VmRSS")), "MB")
	figure("warm_anon", int64(memory("RssAnon")), "MB")
	start = time.Now()
	if _, err := s.List(ctx, job.Filter{Text: "nowhere to be found"}, "", 50); err != nil {
		return err
	}
	figure("text_nowhere", time.Since(start).Milliseconds(), "ms")
	figure("scanned_rss", int64(memory("VmRSS")), "MB")
	figure("scanned_anon", int64(memory("RssAnon")), "MB")
	return s.Close()
}

// memory reads a figure of /proc/self/status in MB, 0 elsewhere than on Linux.
func memory(key string) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte(key+":")); ok {
			kb, _ := strconv.Atoi(string(bytes.Fields(rest)[0]))
			return kb >> 10
		}
	}
	return 0
}

// diskUse is the size of the tables in a directory: logs of the database that
// are reserved in advance do not grow with the records.
func diskUse(tb testing.TB, dir string) int64 {
	tb.Helper()
	total := int64(0)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".sst" {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return total
}
