package jobtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telltale/backend/job"
)

// Store is what the suite tests: all three seams over the same jobs.
type Store interface {
	job.Journal
	job.Queue
	job.Records
	io.Closer
}

// Open opens a new, empty store whose clock is c.Now. Again is called between
// the steps of a test: it returns the store to go on with, which is the same
// one, or, for a store that is kept, one that was closed and opened again.
type Open func(t *testing.T, c *Clock) (s Store, again func() Store)

// Suite runs every test against stores that open makes. The tests run in
// parallel, each with a store of its own.
func Suite(t *testing.T, open Open) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*bench)
	}{
		{"AppendNumbersChanges", appendNumbersChanges},
		{"AppendRefusesWhatWasDecidedOnThePast", appendRefusesThePast},
		{"AppendRefusesWhatTheLifecycleForbids", appendRefusesTheLifecycle},
		{"AppendLetsOneOfManyWin", appendLetsOneWin},
		{"MinorIsOnlyWhatARunSaysOfItself", minorIsOnlyReports},
		{"EveryWayOfReadingGivesTheSameBytes", everyWaySameBytes},
		{"KeyGivesTheFirstEventForEver", keyGivesFirstEvent},
		{"KeyWithAnotherRequestIsRefused", keyWithAnotherRequest},
		{"KeyUsedByManyAtOnceMakesOneJob", keyUsedByMany},
		{"TailHasNoGapWhileManyWrite", tailHasNoGap},
		{"TailEndsWithItsReason", tailEnds},
		{"SinceRefusesForeignAndFutureCursors", sinceRefusesCursors},
		{"QueueIsFirstComeFirstServed", queueIsFIFO},
		{"QueueHandsOutAgainWhatIsReleased", queueHandsOutAgain},
		{"QueueWaitsUntilDue", queueWaits},
		{"ListPagesNewestFirst", listPages},
		{"ListFiltersLikeTheOracle", listFilters},
		{"ListRefusesForgedPlaces", listRefusesPlaces},
		{"LiveIsWhatIsNotFinal", liveIsNotFinal},
		{"PruneByAge", pruneByAge},
		{"PruneByCount", pruneByCount},
		{"PruneTakesLogAndKey", pruneTakesAll},
		{"LogNumbersLines", logNumbersLines},
		{"LogAsTextIsTheLines", logAsText},
		{"LogOfNobody", logOfNobody},
		{"RandomWalk", randomWalk},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := NewClock()
			s, again := open(t, c)
			b := &bench{T: t, s: s, again: again, clock: c, seen: map[job.ID]job.Job{}, random: rand.NewPCG(1, 2)}
			t.Cleanup(func() {
				if err := b.s.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			test.run(b)
		})
	}
}

// Clock is real time that rises by at least a millisecond at each look, and
// can be set forward.
type Clock struct {
	mu     sync.Mutex // guards the rest
	last   time.Time
	offset time.Duration
}

// NewClock is a clock that shows the present.
func NewClock() *Clock { return &Clock{} }

// Now is the time in UTC, to the millisecond, never the same twice.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now().Add(c.offset).UTC().Truncate(time.Millisecond)
	if !now.After(c.last) {
		now = c.last.Add(time.Millisecond)
	}
	c.last = now
	return now
}

// Advance sets the clock forward.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// bench is one test with its store.
type bench struct {
	*testing.T
	s     Store
	again func() Store
	clock *Clock

	mu     sync.Mutex // guards the rest
	random *rand.PCG
	seen   map[job.ID]job.Job // newest revision by job
}

// step goes on, with a reopened store where that is what is tested.
func (b *bench) step() { b.s = b.again() }

func (b *bench) ctx() context.Context { return b.Context() }

// Read makes bench a source of random bits that is the same in every run.
func (b *bench) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b.random.Uint64())
	}
	return len(p), nil
}

// fresh is a job nobody has accepted yet.
func (b *bench) fresh(action, target string) job.Job {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	at := b.clock.Now()
	id, err := job.NewID(at, b)
	if err != nil {
		b.Fatal(err)
	}
	return job.Accept(job.Job{
		ID: id, Action: action, Title: "Do " + action, Target: target, Attempts: 3,
		Trigger: job.Trigger{Via: job.ViaAPI, By: "ada"},
		Params:  map[string]any{"force": true, "depth": 3.0, "note": "<b>&\u2028 ü"},
	}, at)
}

// accept appends a new job and returns it.
func (b *bench) accept(action, target string) job.Job {
	b.Helper()
	return b.must(0, b.fresh(action, target), nil).Job
}

// must appends a change that has to succeed; err is that of making it.
func (b *bench) must(want job.Rev, next job.Job, err error) job.Event {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
	e, repeated, err := b.s.Append(b.ctx(), job.Change{Want: want, Next: next})
	if err != nil || repeated {
		b.Fatalf("append rev %d of %s (%s): repeated %v, %v", next.Rev, next.ID, next.State, repeated, err)
	}
	b.note(e.Job)
	return e
}

func (b *bench) note(j job.Job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen[j.ID] = j
}

// start, finish, report and requeue move a job on and return it.
func (b *bench) start(j job.Job) job.Job {
	b.Helper()
	next, err := j.Start(b.clock.Now(), "host", "boot")
	return b.must(j.Rev, next, err).Job
}

func (b *bench) finish(j job.Job, o job.Outcome) job.Job {
	b.Helper()
	next, err := j.Finish(b.clock.Now(), o)
	return b.must(j.Rev, next, err).Job
}

func (b *bench) report(j job.Job, phase string) job.Job {
	b.Helper()
	percent := 12.5
	next, err := j.Note(b.clock.Now(), job.Report{Phase: phase, Progress: &job.Progress{Percent: &percent, Done: 1, Total: 8}})
	return b.must(j.Rev, next, err).Job
}

// run takes a job through to an outcome.
func (b *bench) run(action, target string, o job.Outcome) job.Job {
	b.Helper()
	return b.finish(b.start(b.accept(action, target)), o)
}

var succeeded = job.Outcome{State: job.Succeeded, Summary: "All is well"}

// head is where the feed stands.
func (b *bench) head() job.Cursor {
	b.Helper()
	c, err := b.s.Head(b.ctx())
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// feed is every event there was.
func (b *bench) feed() []job.Event {
	b.Helper()
	events, err := b.s.Since(b.ctx(), job.Cursor{}, 1<<20)
	if err != nil {
		b.Fatal(err)
	}
	return events
}

// gapless checks that events are numbered from first on without a gap.
func (b *bench) gapless(events []job.Event, first uint64) {
	b.Helper()
	for i, e := range events {
		if e.Seq != first+uint64(i) {
			b.Fatalf("event %d of the feed has seq %d, want %d", i, e.Seq, first+uint64(i))
		}
	}
}

// same checks that an event is the job as given, in all its parts.
func (b *bench) same(what string, e job.Event, want job.Job) {
	b.Helper()
	if diff := cmp.Diff(want, e.Job); diff != "" {
		b.Fatalf("%s: job differs (-want +got):\n%s", what, diff)
	}
	b.sameData(what, e, want)
}

func (b *bench) sameData(what string, e job.Event, want job.Job) {
	b.Helper()
	data, err := want.Encode()
	if err != nil {
		b.Fatal(err)
	}
	if string(data) != string(e.Data) {
		b.Fatalf("%s: data is\n%s\nwant\n%s", what, e.Data, data)
	}
}

// ids are the jobs of events, by their data.
func ids(events []job.Event) []job.ID {
	all := []job.ID{}
	for _, e := range events {
		var j struct {
			ID job.ID `json:"id"`
		}
		if err := json.Unmarshal(e.Data, &j); err != nil {
			j.ID = job.ID(fmt.Sprintf("(%v)", err))
		}
		all = append(all, j.ID)
	}
	return all
}

// wantError checks that err is a T, and what check has to say of it.
func wantError[T error](b *bench, what string, err error, check func(T) bool) {
	b.Helper()
	e, ok := errors.AsType[T](err)
	if !ok {
		b.Fatalf("%s: error is %v, want a %T", what, err, e)
	}
	if check != nil && !check(e) {
		b.Errorf("%s: error is %+v", what, e)
	}
}
