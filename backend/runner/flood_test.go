package runner

import (
	"bytes"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale/backend/job"
)

// flooded runs a flood and fails when it takes long, much memory, or the log
// loses its beginning or its end.
func flooded(t *testing.T, b *bench, limit time.Duration) job.Outcome {
	t.Helper()
	peak := make(chan uint64)
	stop := make(chan struct{})
	go func() {
		var most uint64
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	w := &counter{}
	before := time.Now()
	o := b.runners.Run(t.Context(), b.task(), w)
	took := time.Since(before)
	close(stop)
	t.Logf("took %v, heap at most %d MiB; %d lines (%d MiB) handed over in %d batches", took.Round(time.Millisecond), <-peak>>20, w.lines, w.bytes>>20, w.batches)
	if took > limit {
		t.Errorf("it took %v, more than %v", took, limit)
	}
	if w.bytes > allowance+(1<<20) || w.largest > batchLimit+2*(64<<10) {
		t.Errorf("%d bytes were handed over, %d in one batch", w.bytes, w.largest)
	}
	b.lines = append(b.lines, w.last...)
	return o
}

// counter counts what a task says and keeps the last lines.
type counter struct {
	lines, batches, bytes, largest int
	last                           []job.Line
}

func (c *counter) Lines(lines ...job.Line) {
	size := 0
	for _, l := range lines {
		size += len(l.Text)
	}
	c.lines += len(lines)
	c.bytes += size
	c.largest = max(c.largest, size)
	c.batches++
	c.last = append(c.last, lines...)
	c.last = append([]job.Line(nil), c.last[max(0, len(c.last)-2000):]...)
}
func (c *counter) Phase(string)          {}
func (c *counter) Progress(job.Progress) {}
func (c *counter) Warn(job.Notice)       {}
func (c *counter) Steps([]job.Step)      {}

func TestOneGigabyteOfOutputIsCheapAndKeepsItsLastLines(t *testing.T) {
	b := setup(t, self("flood", "1024", strings.Repeat("All work and no play. ", 4))...)
	if o := flooded(t, b, 20*time.Second); o.State != job.Succeeded {
		t.Errorf("%+v", o)
	}
	text := b.text()
	if !strings.HasSuffix(text, "the very last line\n") || !strings.Contains(text, "are left out here") {
		t.Errorf("the log ends with %q", text[max(0, len(text)-200):])
	}
}

func TestR45_FloodOfTinyLines(t *testing.T) {
	b := setup(t, self("flood", "300", "y")...)
	if o := flooded(t, b, 10*time.Second); o.State != job.Succeeded {
		t.Errorf("%+v", o)
	}
	if text := b.text(); !strings.HasSuffix(text, "the very last line\n") {
		t.Errorf("the log ends with %q", text[max(0, len(text)-200):])
	}
}

func TestR46_OutputWithoutALineEnd(t *testing.T) {
	b := setup(t, self("endless", "100")...)
	if o := flooded(t, b, 10*time.Second); o.State != job.Succeeded {
		t.Errorf("%+v", o)
	}
	for _, l := range b.lines {
		if len(l.Text) > 64<<10 {
			t.Fatalf("a line of %d bytes", len(l.Text))
		}
	}
}

// What a command says of itself is heard however much it prints around it.
func TestCommandsInAFloodAreHeard(t *testing.T) {
	t.Parallel()
	w := newWatch()
	h := &words{}
	v := New(Options{}).voice(w, nil, h)
	out := v.writer(job.Stdout)
	block := bytes.Repeat([]byte("noise\n"), 10_000)
	for range 200 { // a line costs more than its text
		_, _ = out.Write(block)
	}
	if !v.rope.short() {
		t.Fatal("the rope is too long for this test")
	}
	_, _ = out.Write([]byte("::phase::Hal"))
	_, _ = out.Write([]byte("f way\nnoise\n::warning::careful\n:"))
	_, _ = out.Write([]byte(":summary::All done.\nnoise"))
	_, _ = out.Write(block)
	_, _ = out.Write([]byte("::add-mask::hide-this-too\nthe end hide-this-too\n"))
	v.close()
	if h.summary != "All done." || len(w.phases) != 1 || w.phases[0] != "Half way" || len(w.warnings) != 1 {
		t.Errorf("summary %q, phases %q, warnings %+v", h.summary, w.phases, w.warnings)
	}
	last := w.lines[len(w.lines)-1].Text
	if last != "the end ***" {
		t.Errorf("last line %q", last)
	}
	total := int64(0)
	for _, l := range w.lines {
		if l.Stream != job.System {
			total++
			continue
		}
		n, err := strconv.ParseInt(strings.Fields(l.Text)[0], 10, 64)
		if err != nil {
			t.Errorf("line %q", l.Text)
		}
		total += n
	}
	if want := int64(201*10_000 + 4 + 2); total < want-2 || total > want+2 {
		t.Errorf("%d lines are in the log or counted as left out, want about %d", total, want)
	}
}

// After the allowance is used up a log that grows slowly goes on.
func TestARopeGrowsBack(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	w := newWatch()
	v := New(Options{Clock: func() time.Time { return now }}).voice(w, nil, &words{})
	out := v.writer(job.Stdout)
	block := bytes.Repeat([]byte("noise\n"), 10_000)
	for range 200 {
		_, _ = out.Write(block)
	}
	now = now.Add(3 * time.Second)
	_, _ = out.Write([]byte("later\n"))
	v.mu.Lock()
	v.hand()
	v.mu.Unlock()
	if last := w.lines[len(w.lines)-1].Text; last != "later" {
		t.Errorf("last line %q", last)
	}
}

func TestLinesComeInBatches(t *testing.T) {
	t.Parallel()
	b := setup(t).script(`i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done`)
	before := time.Now()
	if o := b.run(); o.State != job.Succeeded {
		t.Fatalf("%+v", o)
	}
	took := time.Since(before)
	size := 0
	for i, l := range b.lines {
		size += lineCost(l)
		if want := "line " + strconv.Itoa(i); l.Text != want {
			t.Fatalf("line %d is %q", i, l.Text)
		}
	}
	if most := 3 + int(took/pace) + size/batchLimit; len(b.lines) != 20000 || b.batches > most {
		t.Errorf("%d lines in %d batches, at most %d expected in %v", len(b.lines), b.batches, most, took)
	}
}

func TestTheFirstLineIsSeenAtOnceAndALateOneSoon(t *testing.T) {
	t.Parallel()
	b := setup(t).script(`echo first; echo second; sleep 3600`)
	stop := b.start()
	b.await(t, "first")
	b.await(t, "second")
	canceled(t, stop)
}
