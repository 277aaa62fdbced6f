package store_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale/backend/job"
	"telltale/backend/store"
)

// childOptions are small, so that a short life meets what takes long otherwise:
// a feed that is cut and logs that are dropped.
func childOptions(dir string) store.Options {
	return store.Options{Dir: dir, FeedLimit: 2000, LogQuota: 64 << 10}
}

// work is the child of the crash tests: it opens the store, ends what a dead
// life left behind as the engine would, and takes jobs through their lives in
// eight goroutines until it is killed, or until its input ends: then it closes
// the store. Each acknowledged change is one line on its output, written in one
// piece after Append has returned: "ack <id> <rev> <seq> <state>".
func work(dir string) error {
	s, err := store.Open(childOptions(dir))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ack := func(e job.Event) {
		line := fmt.Sprintf("ack %s %d %d %s\n", e.Job.ID, e.Job.Rev, e.Seq, e.Job.State)
		_, _ = os.Stdout.WriteString(line) // a pipe takes a short line whole
	}
	live, _, err := s.Live(ctx)
	if err != nil {
		return err
	}
	for _, e := range live {
		next, err := e.Job.Finish(time.Now(), job.Outcome{State: afterDeath(e.Job.State)})
		if err != nil {
			return err
		}
		if e, _, err = s.Append(ctx, job.Change{Want: e.Job.Rev, Next: next}); err != nil {
			return err
		}
		ack(e)
	}
	var wg sync.WaitGroup
	var m maker
	m.n.Store(time.Now().UnixNano()) // another life makes other ids
	for range 8 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := oneLife(ctx, s, &m, ack); err != nil && ctx.Err() == nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
			}
		})
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	stop()
	wg.Wait()
	_, _ = os.Stdout.WriteString("closing\n")
	if err := s.Close(); err != nil {
		return err
	}
	_, _ = os.Stdout.WriteString("closed\n")
	return nil
}

func afterDeath(s job.State) job.State {
	if s == job.Running {
		return job.Interrupted
	}
	return job.Canceled
}

// oneLife takes one job from its acceptance to its end, with a log.
func oneLife(ctx context.Context, s *store.Store, m *maker, ack func(job.Event)) error {
	at := time.Now().UTC().Truncate(time.Millisecond)
	first := m.accept(at)
	c := job.Change{Next: first, Key: job.Key{Name: "key of " + string(first.ID), Fingerprint: "f"}}
	e, _, err := s.Append(ctx, c)
	if err != nil {
		return err
	}
	ack(e)
	move := func(next job.Job, err error) error {
		if err == nil {
			e, _, err = s.Append(ctx, job.Change{Want: e.Job.Rev, Next: next})
		}
		if err == nil {
			ack(e)
		}
		return err
	}
	if err := move(e.Job.Start(at, "host", "boot")); err != nil {
		return err
	}
	lines := make([]job.Line, 20)
	for i := range lines {
		lines[i] = job.Line{At: at, Stream: job.Stdout, Text: fmt.Sprintf("line %d %s", i, strings.Repeat("x", 300))}
	}
	stat, err := s.AppendLog(ctx, e.Job.ID, lines)
	if err != nil {
		return err
	}
	if err := move(e.Job.Note(at, job.Report{Phase: "Working", Log: stat})); err != nil {
		return err
	}
	return move(e.Job.Finish(at, job.Outcome{State: job.Succeeded, Summary: "Done."}))
}

// acked is what a child has acknowledged.
type acked struct {
	rev job.Rev
	seq uint64
}

// acks reads a child's output. Each line is passed to seen, which returns false
// to stop listening.
type acks struct {
	mu   sync.Mutex // guards last
	last map[job.ID]acked
	head uint64
}

func (a *acks) listen(r io.Reader, seen func(line string, n int) bool) {
	sc := bufio.NewScanner(r)
	n, listening := 0, true
	for sc.Scan() {
		line := sc.Text()
		if f := strings.Fields(line); len(f) == 5 && f[0] == "ack" {
			rev, err1 := strconv.ParseUint(f[2], 10, 64)
			seq, err2 := strconv.ParseUint(f[3], 10, 64)
			if err1 == nil && err2 == nil {
				n++
				a.note(job.ID(f[1]), acked{rev: job.Rev(rev), seq: seq})
			}
		}
		listening = listening && seen(line, n)
	}
}

func (a *acks) note(id job.ID, k acked) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last[id].rev < k.rev {
		a.last[id] = k
	}
	a.head = max(a.head, k.seq)
}

// verifyStore opens a store after a crash and compares it with what was
// acknowledged: nothing lost, nothing torn, no gap.
func verifyStore(t *testing.T, dir string, a *acks) {
	t.Helper()
	s, err := store.Open(childOptions(dir))
	if err != nil {
		t.Fatalf("open after a crash: %v", err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	ctx := t.Context()
	h := s.Health()
	if h.Head < a.head {
		t.Fatalf("the feed ends at %d, but %d was acknowledged", h.Head, a.head)
	}
	events, err := s.Since(ctx, job.Cursor{Feed: s.Feed(), Seq: h.Oldest - 1}, 1<<20)
	if err != nil {
		t.Fatalf("feed: %v", err)
	}
	newest := map[job.ID]job.Event{}
	for i, e := range events {
		if e.Seq != h.Oldest+uint64(i) {
			t.Fatalf("event %d follows %d", e.Seq, h.Oldest+uint64(i)-1)
		}
		if was, ok := newest[e.Job.ID]; ok && was.Job.Rev+1 != e.Job.Rev {
			t.Fatalf("job %s goes from revision %d to %d", e.Job.ID, was.Job.Rev, e.Job.Rev)
		}
		newest[e.Job.ID] = e
	}
	if n := uint64(len(events)); n != h.Head-h.Oldest+1 {
		t.Fatalf("%d events from %d to %d", n, h.Oldest, h.Head)
	}
	for id, e := range newest {
		got, err := s.Get(ctx, id)
		if err != nil || got.Seq != e.Seq || string(got.Data) != string(e.Data) {
			t.Fatalf("job %s is at seq %d in the feed and %d in the records, %v", id, e.Seq, got.Seq, err)
		}
	}
	for id, k := range a.last {
		got, err := s.Get(ctx, id)
		if err != nil {
			t.Fatalf("job %s was acknowledged at revision %d: %v", id, k.rev, err)
		}
		if got.Job.Rev < k.rev || got.Job.ID != id {
			t.Fatalf("job %s was acknowledged at revision %d, is at %d", id, k.rev, got.Job.Rev)
		}
		if got.Job.Log.Lines == 0 {
			continue
		}
		part, err := s.ReadLog(ctx, id, 1, 100)
		if err != nil || part.Next != 21 {
			t.Fatalf("log of job %s: next %d, %v", id, part.Next, err)
		}
	}
	counted := 0
	for after := ""; ; {
		page, err := s.List(ctx, job.Filter{}, after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		counted += len(page.Events)
		if after = page.Next; after == "" {
			break
		}
	}
	if counted != int(h.Records)+h.Live || len(h.Problems) != 0 {
		t.Fatalf("%d jobs are listed, health is %+v", counted, h)
	}
}
