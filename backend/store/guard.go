package store

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"telltale/backend/job"
)

const (
	lockFile    = "store.lock"
	ballastFile = "ballast.bin"
)

// floors are how many bytes must be free on the disk. Badger writes through
// memory maps, so a disk that is really full ends the process; the floors keep
// away from that edge.
type floors struct {
	soft    int64 // below: warn, keep less of each log
	hard    int64 // below: refuse new jobs, keep no logs, give up the ballast
	last    int64 // below: keep what fits into the write-ahead log, no more
	open    int64 // below: do not even open
	ballast int64 // size of a file that is given up when space runs out
}

// Level says how much room the disk has.
type Level string

// The levels of a disk, best first.
const (
	// Roomy: all is well.
	Roomy Level = "ok"
	// Low: everything works, logs are kept shorter; somebody should make room.
	Low Level = "low"
	// Full: new jobs are refused, logs are not kept; running jobs go on.
	Full Level = "full"
	// Critical: running jobs should be canceled while their end can be kept.
	Critical Level = "critical"
)

// Problem is one thing wrong with the store, in words for people.
type Problem struct {
	Code    string `json:"code"` // storage_low, storage_full, storage_stopped or storage_damaged
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// Health is what the store knows of its own state. Sizes are bytes.
type Health struct {
	Level    Level     `json:"level"`
	Free     int64     `json:"free"` // -1 when it is not known
	Records  int64     `json:"records"`
	Live     int       `json:"live"`
	Oldest   uint64    `json:"oldest"` // the oldest event kept
	Head     uint64    `json:"head"`   // the newest event
	Problems []Problem `json:"problems"`
}

// guard watches the disk and remembers what went wrong.
type guard struct {
	o      Options
	active bool

	mu       sync.Mutex // guards the rest
	free     int64
	level    Level
	ballast  bool   // the ballast file is there
	log      string // the newest write-ahead log
	used     int64  // bytes written to it, at least
	problems []Problem
}

func newGuard(o Options) *guard {
	return &guard{o: o, active: o.Dir != "" || o.measured, free: -1, level: Roomy}
}

// need is how many bytes must be free to open.
func (g *guard) need() int64 { return g.o.floors.open }

// preflight makes sure there is room to open, with the ballast's if need be.
func (g *guard) preflight() error {
	free, err := g.o.FreeSpace(g.o.Dir)
	if err != nil {
		return unusable(g.o.Dir, err)
	}
	if free < g.need() {
		g.dropBallast()
		if free, err = g.o.FreeSpace(g.o.Dir); err != nil {
			return unusable(g.o.Dir, err)
		}
	}
	if free < g.need() {
		return &job.FullError{Dir: g.o.Dir, Free: free, Need: g.need()}
	}
	return nil
}

// prepare reserves what an emergency will need.
func (g *guard) prepare() {
	g.measure()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reserve()
}

// watch measures until stop is closed.
func (g *guard) watch(stop <-chan struct{}) {
	if !g.active {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.prepare()
		case <-stop:
			return
		}
	}
}

// measure asks the disk and sets the level.
func (g *guard) measure() Level {
	if !g.active {
		return Roomy
	}
	free, err := g.o.FreeSpace(g.o.Dir)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		g.free = -1
		return g.level
	}
	g.free = free
	was := g.level
	switch f := g.o.floors; {
	case free < f.last:
		g.level = Critical
	case free < f.hard:
		g.level = Full
	case free < f.soft:
		g.level = Low
	default:
		g.level = Roomy
	}
	if (g.level == Full || g.level == Critical) && g.ballast {
		g.dropBallast()
		g.ballast = false
	}
	if was != g.level {
		g.o.Log.Warn("disk space", slog.String("level", string(g.level)), slog.Int64("free", free))
	}
	return g.level
}

// reserve makes the ballast while there is room for it, and gives the newest
// write-ahead log its place on the disk. Callers hold mu.
func (g *guard) reserve() {
	if g.o.Dir == "" {
		return
	}
	g.newestLog()
	if g.ballast || g.level != Roomy || g.free < g.o.floors.soft+2*g.o.floors.ballast {
		return
	}
	f, err := os.OpenFile(filepath.Join(g.o.Dir, ballastFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return
	}
	st, err := f.Stat()
	if err == nil && st.Size() < g.o.floors.ballast {
		err = allocate(f, g.o.floors.ballast)
	}
	if errors.Join(err, f.Close()) != nil {
		g.dropBallast()
		return
	}
	g.ballast = true
}

// newestLog notices a new write-ahead log and gives it its place on the disk.
func (g *guard) newestLog() {
	names, err := filepath.Glob(filepath.Join(g.o.Dir, "db", "*.mem"))
	if err != nil || len(names) == 0 {
		return
	}
	newest := slices.Max(names)
	if newest == g.log {
		return
	}
	g.log, g.used = newest, 0
	if !allocates {
		return
	}
	f, err := os.OpenFile(newest, os.O_RDWR, 0)
	if err != nil {
		return // written out and removed meanwhile
	}
	if err := errors.Join(allocate(f, memtable+memtable/5), f.Close()); err != nil {
		g.o.Log.Warn("write-ahead log not allocated", errAttr(err))
	}
}

func (g *guard) dropBallast() {
	if g.o.Dir != "" {
		_ = os.Remove(filepath.Join(g.o.Dir, ballastFile))
	}
}

// mayAccept refuses new jobs on a full disk.
func (g *guard) mayAccept() error {
	if l := g.measure(); l == Full || l == Critical {
		return g.full(g.o.floors.hard)
	}
	return nil
}

// mayStart refuses that a job starts on a disk so full that running ones are
// ended.
func (g *guard) mayStart() error {
	if g.disk() == Critical {
		return g.full(g.o.floors.last)
	}
	return nil
}

// mayWrite refuses every change when the disk is full and the write-ahead log,
// whose place is reserved, may not take it. size is what will be written.
func (g *guard) mayWrite(size int64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.level == Critical && g.o.Dir != "" {
		g.newestLog()
		if g.free < 2*memtable && g.used+size > memtable*3/4 {
			return &job.FullError{Dir: g.o.Dir, Free: g.free, Need: 2 * memtable}
		}
	}
	g.used += size
	return nil
}

// mayFlush refuses to let Badger write its memory out on a full disk.
func (g *guard) mayFlush() error {
	if g.o.Dir == "" {
		return nil
	}
	if free, err := g.o.FreeSpace(g.o.Dir); err == nil && free < 3*memtable && free < g.o.floors.hard {
		g.measure()
		return g.full(3 * memtable)
	}
	return nil
}

func (g *guard) full(need int64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return &job.FullError{Dir: g.o.Dir, Free: g.free, Need: need}
}

func (g *guard) disk() Level {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.level
}

// stopped notes that a write failed for good.
func (g *guard) stopped(err error) {
	g.note(Problem{Code: "storage_stopped", Message: "A change could not be written, so no more are accepted.", Hint: (*StoppedError)(nil).Hint()}, err)
}

// damaged notes that a part of the history cannot be read.
func (g *guard) damaged(err error) {
	g.note(Problem{Code: "storage_damaged", Message: "A part of the history cannot be read.", Hint: (*DamagedError)(nil).Hint()}, err)
}

func (g *guard) note(p Problem, err error) {
	g.mu.Lock()
	known := slices.Contains(g.problems, p)
	if !known {
		g.problems = append(g.problems, p)
	}
	g.mu.Unlock()
	if !known {
		g.o.Log.Error("storage", slog.String("code", p.Code), errAttr(err))
	}
}

// Health reports the state of the disk and the store.
func (s *Store) Health() Health {
	s.guard.measure()
	s.now.mu.RLock()
	h := Health{Records: s.records.Load(), Live: len(s.now.live), Oldest: s.now.oldest, Head: s.now.head}
	s.now.mu.RUnlock()
	s.guard.mu.Lock()
	defer s.guard.mu.Unlock()
	h.Level, h.Free = s.guard.level, s.guard.free
	h.Problems = slices.Clone(s.guard.problems)
	switch h.Level {
	case Roomy:
	case Low:
		h.Problems = append(h.Problems, Problem{
			Code: "storage_low", Message: "The disk of the data directory is nearly full.",
			Hint: "Make room; logs are kept shorter until then.",
		})
	case Full, Critical:
		h.Problems = append(h.Problems, Problem{
			Code: "storage_full", Message: "The disk of the data directory is full; new jobs are refused.",
			Hint: "Make room; jobs are accepted again by themselves.",
		})
	}
	return h
}
