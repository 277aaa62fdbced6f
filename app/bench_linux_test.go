package app_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// BenchmarkTrigger measures from a trigger over HTTP to its answer, which says
// that the job is safe on disk, beside the floor of the same run: a bare append
// of 512 bytes and an fdatasync, one after the other with it.
func BenchmarkTrigger(b *testing.B) {
	cfg := place(b)
	held := "actions: {held: {on_busy: parallel, concurrency: 1, command: {argv: [sleep, \"600\"]}, grace: 1s}}"
	if err := os.WriteFile(cfg.Catalog, []byte(held), 0o600); err != nil {
		b.Fatal(err)
	}
	house, _ := open(b, cfg)
	ctx, stop := context.WithCancel(b.Context())
	ready, served := make(chan string, 1), make(chan error, 1)
	go func() { served <- house.Serve(ctx, func(url string) { ready <- url }) }()
	url := <-ready + "/api/v1/actions/held/jobs"
	floorFile, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer floorFile.Close()

	var answers, floors []time.Duration
	block := make([]byte, 512)
	for b.Loop() {
		at := time.Now()
		if _, err := floorFile.Write(block); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(floorFile.Fd())); err != nil {
			b.Fatal(err)
		}
		floors = append(floors, time.Since(at))
		at = time.Now()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte("{}")))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		answers = append(answers, time.Since(at))
		if res.StatusCode != http.StatusAccepted {
			b.Fatal(res.Status)
		}
		var body bytes.Buffer
		_, _ = body.ReadFrom(res.Body)
		_ = res.Body.Close()
	}
	rank := func(all []time.Duration, percent int) float64 {
		slices.Sort(all)
		return float64(all[(len(all)-1)*percent/100].Microseconds())
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rank(answers, 50), "p50_us")
	b.ReportMetric(rank(answers, 99), "p99_us")
	b.ReportMetric(rank(floors, 50), "floor_p50_us")
	b.ReportMetric(rank(floors, 99), "floor_p99_us")
	b.ReportMetric(rank(answers, 50)/rank(floors, 50), "x_floor_p50")
	stop()
	if err := errors.Join(<-served, house.Close(atOnce())); err != nil {
		b.Error(err)
	}
}
