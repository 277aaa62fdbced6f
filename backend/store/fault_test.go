package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"telltale/backend/job"
	"telltale/backend/store"
)

// noContext is for children, which have no test to take one from.
var noContext = context.Background()

func TestR16_ClockTenYearsAheadRemovesNothing(t *testing.T) {
	t.Parallel()
	var offset atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	advance := func(d time.Duration) { offset.Add(int64(d)) }
	o := store.Options{Dir: t.TempDir(), Clock: now}
	s := open(t, o)
	var m maker
	finish := func() {
		t.Helper()
		for _, j := range m.life(now()) {
			if _, _, err := s.Append(t.Context(), job.Change{Want: j.Rev - 1, Next: j}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 20 {
		finish()
	}
	keep := func(string) job.Keep { return job.Keep{Age: 90 * 24 * time.Hour} }
	prune := func(when string, want int) {
		t.Helper()
		if n, err := s.Prune(t.Context(), now(), keep); err != nil || n != want {
			t.Errorf("%s: %d records removed, want %d; %v", when, n, want, err)
		}
	}
	prune("before", 0)
	advance(10 * 365 * 24 * time.Hour)
	prune("ten years ahead", 0)
	finish()
	prune("ten years ahead, with a new record", 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, o)
	prune("ten years ahead, after a restart", 0)
	advance(-10 * 365 * 24 * time.Hour)
	prune("set right again", 0)
	advance(100 * 24 * time.Hour)
	prune("a hundred real days later", 20)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestR17_PruneBesideWritersDisturbsNobody(t *testing.T) {
	t.Parallel()
	s := openFor(t, store.Options{Dir: t.TempDir(), FeedLimit: 200})
	var m maker
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 8 {
		wg.Go(func() {
			for range 100 {
				for _, j := range m.life(time.Now()) {
					if _, _, err := s.Append(t.Context(), job.Change{Want: j.Rev - 1, Next: j}); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	go func() {
		wg.Wait()
		close(done)
	}()
	keep := func(string) job.Keep { return job.Keep{Count: 3} }
	for writing := true; writing; {
		select {
		case <-done:
			writing = false
		default:
		}
		if _, err := s.Prune(t.Context(), time.Now(), keep); err != nil {
			t.Fatal(err)
		}
		if _, err := s.List(t.Context(), job.Filter{Actions: []string{"push"}}, "", 50); err != nil {
			t.Fatal(err)
		}
	}
	if h := s.Health(); int(h.Records) != 3*len(benchActions) || h.Head != 3200 || len(h.Problems) != 0 {
		t.Errorf("health is %+v", h)
	}
}

func TestR18_ValuesOfEverySizeAreKeptOrRefused(t *testing.T) {
	t.Parallel()
	s := openFor(t, store.Options{Dir: t.TempDir()})
	var m maker
	accept := func(value any) (job.Event, error) {
		j := m.accept(time.Now())
		j.Params = map[string]any{"value": value}
		e, _, err := s.Append(t.Context(), job.Change{Next: j})
		return e, err
	}
	for _, size := range []int{1 << 20, 10 << 20, job.MaxSize} {
		var large *store.TooLargeError
		if _, err := accept(strings.Repeat("x", size)); !errors.As(err, &large) || large.Hint() == "" || large.Size < size {
			t.Errorf("a value of %d bytes: %v", size, err)
		}
	}
	for _, value := range []string{"", "\x00\x01\xff\xfe", "\u2028<script>", strings.Repeat("ü", 5000)} {
		e, err := accept(value)
		if err != nil {
			t.Errorf("value %.20q: %v", value, err)
			continue
		}
		got, err := s.Get(t.Context(), e.Job.ID)
		if err != nil || string(got.Data) != string(e.Data) {
			t.Errorf("value %.20q came back as %.200s, %v", value, got.Data, err)
		}
	}
	j := m.life(time.Now())[3]
	j.Rev = 1
	j.State, j.Summary = job.Queued, strings.Repeat("long ", 10_000) // can be cut
	e, _, err := s.Append(t.Context(), job.Change{Next: j})
	if err != nil || len(e.Data) > job.MaxSize || !strings.HasPrefix(e.Job.Summary, "long long") {
		t.Errorf("a long summary: %d bytes, %v", len(e.Data), err)
	}
}

// The n-th step that touches the disk fails, for every n: whatever was said to
// be kept is kept, whatever was refused has left no trace.
func TestR19_FailureOfAnyStepLeavesNoFalseState(t *testing.T) {
	t.Parallel()
	for n := int64(1); ; n++ {
		dir := t.TempDir()
		var calls atomic.Int64
		injected := errors.New("injected")
		o := store.WithFaults(store.Options{Dir: dir, LogQuota: 64 << 10}, func(step string) error {
			if calls.Add(1) == n {
				return fmt.Errorf("%s: %w", step, injected)
			}
			return nil
		})
		told := faultyLife(t, o, injected)
		s, err := store.Open(store.Options{Dir: dir})
		if err != nil {
			t.Fatalf("n = %d: open: %v", n, err)
		}
		events, err := s.Since(t.Context(), job.Cursor{}, 1000)
		if err != nil || len(events) != len(told) {
			t.Fatalf("n = %d: %d events are kept, %d were told; %v", n, len(events), len(told), err)
		}
		for i, e := range events {
			if e.Seq != told[i].Seq || string(e.Data) != string(told[i].Data) {
				t.Fatalf("n = %d: event %d is %s, told was %s", n, e.Seq, e.Data, told[i].Data)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if calls.Load() < n {
			t.Logf("%d steps", n-1)
			return
		}
	}
}

// faultyLife does all a store does and returns the events it acknowledged.
func faultyLife(t *testing.T, o store.Options, injected error) []job.Event {
	t.Helper()
	var told []job.Event
	s, err := store.Open(o)
	if err != nil {
		if !errors.Is(err, injected) {
			t.Fatal(err)
		}
		return nil
	}
	var m maker
	stopped := false
	for range 3 {
		for _, j := range m.life(time.Now()) {
			e, _, err := s.Append(t.Context(), job.Change{Want: j.Rev - 1, Next: j})
			var stop *store.StoppedError
			switch {
			case err == nil && stopped:
				t.Fatal("accepted after a failed write")
			case err == nil:
				told = append(told, e)
			case errors.As(err, &stop) && errors.Is(err, injected):
				stopped = true
			default:
				t.Fatal(err)
			}
			if stopped {
				if last, err := s.Last(t.Context(), j.ID); err == nil && last.Job.Rev >= j.Rev {
					t.Fatal("a change that was refused is shown")
				}
				continue
			}
			_, err = s.AppendLog(t.Context(), j.ID, []job.Line{{At: time.Now(), Text: "x"}})
			if err != nil && !errors.Is(err, injected) {
				t.Fatal(err)
			}
		}
	}
	if h := s.Health(); stopped && (len(h.Problems) != 1 || h.Problems[0].Code != "storage_stopped") {
		t.Fatalf("health is %+v", h)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return told
}

// A final state was written and the process died before any reader heard.
func TestR22_FinalStateIsToldAfterTheRestart(t *testing.T) {
	t.Parallel()
	o := store.Options{Dir: t.TempDir()}
	s := open(t, o)
	var m maker
	var heard job.Cursor
	life := m.life(time.Now())
	for _, j := range life {
		e, _, err := s.Append(t.Context(), job.Change{Want: j.Rev - 1, Next: j})
		if err != nil {
			t.Fatal(err)
		}
		if j.Rev == 3 {
			heard = job.Cursor{Feed: s.Feed(), Seq: e.Seq}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openFor(t, o)
	enough := errors.New("enough")
	err := s.Tail(t.Context(), heard, func(e job.Event) error {
		if e.Seq != heard.Seq+1 || e.Job.State != life[3].State || e.Job.Rev != 4 {
			t.Errorf("heard seq %d %s", e.Seq, e.Job.State)
		}
		return enough
	})
	if !errors.Is(err, enough) {
		t.Error(err)
	}
}

func TestR23_TwoHundredTriggersWithOneKeyMakeOneJob(t *testing.T) {
	t.Parallel()
	s := openFor(t, store.Options{Dir: t.TempDir()})
	var m maker
	var made atomic.Int64
	answers := make([]job.Event, 200)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			e, repeated, err := s.Append(t.Context(), job.Change{Next: m.accept(time.Now()), Key: job.Key{Name: "k", Fingerprint: "f"}})
			if err != nil {
				t.Error(err)
			}
			if !repeated {
				made.Add(1)
			}
			answers[i] = e
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("%d jobs were made", made.Load())
	}
	for _, e := range answers {
		if string(e.Data) != string(answers[0].Data) || e.Seq != 1 {
			t.Errorf("answers differ: %s", e.Data)
		}
	}
}

func TestR24_R25_KeyIsRememberedOverARestart(t *testing.T) {
	t.Parallel()
	o := store.Options{Dir: t.TempDir(), FeedLimit: 10}
	s := open(t, o)
	var m maker
	key := job.Key{Name: "k", Fingerprint: "f"}
	life := m.life(time.Now())
	first, _, err := s.Append(t.Context(), job.Change{Next: life[0], Key: key})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 { // the feed forgets, the key does not
		for _, j := range m.life(time.Now()) {
			if _, _, err := s.Append(t.Context(), job.Change{Want: j.Rev - 1, Next: j}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, j := range life[1:] {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, o)
		again, repeated, err := s.Append(t.Context(), job.Change{Next: m.accept(time.Now()), Key: key})
		if err != nil || !repeated || again.Seq != first.Seq || string(again.Data) != string(first.Data) {
			t.Fatalf("the same request again: repeated %v, %v\n%s\nwant\n%s", repeated, err, again.Data, first.Data)
		}
		_, _, err = s.Append(t.Context(), job.Change{Next: m.accept(time.Now()), Key: job.Key{Name: "k", Fingerprint: "g"}})
		var reused *job.KeyReusedError
		if !errors.As(err, &reused) || string(reused.First.Data) != string(first.Data) {
			t.Fatalf("another request: %v", err)
		}
		if _, _, err := s.Append(t.Context(), job.Change{Want: j.Rev - 1, Next: j}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
