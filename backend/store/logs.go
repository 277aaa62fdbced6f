package store

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"telltale/backend/job"
)

// The log of a job is one file, or a few when it grows: logs/<day>/<id>.log and
// logs/<day>/<id>.<first line>.log. Each begins with a head that says which line
// comes first and how many bytes of text came before; then one line of text for
// each line of the log:
//
//	telltale-log 1 <first line> <bytes before>
//	2026-11-24T15:03:00.123Z o what the program wrote
//
// The letter is the stream. The first file is the beginning that is always
// kept; of the others the oldest goes when the quota is reached, so the end is
// kept too. Files are written without a sync: a killed process loses nothing, a
// power cut may cost the newest lines.
const (
	logMagic   = "telltale-log 1 "
	logLayout  = "2006-01-02T15:04:05.000Z"
	linePrefix = len(logLayout) + len(" o ")
	maxLine    = 64 << 10
	markEvery  = 32 << 10 // bytes between two places that are remembered
	maxOpen    = 256      // logs whose line index is kept in memory
	tailFiles  = 6
)

// logs keeps the logs of all jobs.
type logs struct {
	files logFiles
	quota int64
	guard *guard

	mu    sync.Mutex // guards the rest; taken before a logState's
	open  map[rawID]*logState
	clock int64 // counts uses
}

// logState is what is known of one log: its files and how much was written.
type logState struct {
	users int   // guarded by logs.mu
	used  int64 // guarded by logs.mu

	mu    sync.Mutex // guards the rest
	name  string     // "<day>/<id>"
	segs  []segment
	lines int64 // written in all, also what was dropped
	bytes int64
}

// segment is one file of a log.
type segment struct {
	name   string
	first  int64 // number of its first line
	count  int64 // lines in it
	before int64 // bytes of text before it
	head   int64 // bytes of its head
	size   int64 // bytes of the file
	marks  []mark
}

// mark is a place in a segment: before this byte stand that many lines.
type mark struct{ line, at int64 }

// text is how many bytes of text a segment holds, line feeds included.
func (g *segment) text() int64 { return g.size - g.head - g.count*int64(linePrefix) }

// mark finds the last mark at or before a line of the segment, from 0.
func (g *segment) mark(line int64) mark {
	best := mark{at: g.head}
	for _, m := range g.marks {
		if m.line > line {
			break
		}
		best = m
	}
	return best
}

// grow notes lines that were added.
func (g *segment) grow(lines, bytes int64) {
	last := g.head
	if n := len(g.marks); n > 0 {
		last = g.marks[n-1].at
	}
	if g.size-last >= markEvery {
		g.marks = append(g.marks, mark{line: g.count, at: g.size})
	}
	g.count += lines
	g.size += bytes
}

func openLogs(o Options, g *guard) (*logs, error) {
	l := &logs{quota: o.LogQuota, guard: g, open: map[rawID]*logState{}}
	if o.Dir == "" {
		l.files = newMemoryFiles()
		return l, nil
	}
	d, err := newDiskFiles(o)
	if err != nil {
		return nil, unusable(o.Dir, err)
	}
	l.files = d
	return l, nil
}

// use returns the state of a log, locked, reading it from disk when it is not
// known; done gives it back.
func (l *logs) use(id rawID) (st *logState, done func(), err error) {
	l.mu.Lock()
	l.clock++
	st, known := l.open[id]
	if !known {
		st = &logState{name: logName(id), lines: -1}
		l.evict()
		l.open[id] = st
	}
	st.users++
	st.used = l.clock
	l.mu.Unlock()
	st.mu.Lock()
	done = func() {
		st.mu.Unlock()
		l.mu.Lock()
		st.users--
		l.mu.Unlock()
	}
	if st.lines < 0 {
		if err := st.load(l.files); err != nil {
			done()
			return nil, nil, err
		}
	}
	return st, done, nil
}

// evict forgets the quarter that was unused for longest. Callers hold mu.
func (l *logs) evict() {
	if len(l.open) < maxOpen {
		return
	}
	var used []int64
	for _, st := range l.open {
		used = append(used, st.used)
	}
	slices.Sort(used)
	limit := used[len(used)/4]
	for id, st := range l.open {
		if st.used <= limit && st.users == 0 {
			delete(l.open, id)
		}
	}
}

// logName is where a log lies below logs/, without the ending. The day is in
// the id, so that nothing must be looked up.
func logName(id rawID) string {
	name := id.id()
	return name.Time().Format(time.DateOnly) + "/" + string(name)
}

// append adds lines and numbers them. What finds no room on the disk is counted
// and dropped: a full disk must not stop the job that writes.
func (l *logs) append(id rawID, lines []job.Line) (job.LogStat, error) {
	st, done, err := l.use(id)
	if err != nil {
		return job.LogStat{}, err
	}
	defer done()
	a := appender{st: st, files: l.files, quota: l.quota}
	keep := true
	switch l.guard.disk() {
	case Roomy:
	case Low:
		a.quota /= 8
	case Full, Critical:
		keep = false
	}
	for i := range lines {
		text := cleanLine(lines[i].Text)
		if keep {
			if err = a.add(lines[i].At, lines[i].Stream, text); err != nil {
				keep = false
			}
		}
		st.lines++
		st.bytes += int64(len(text)) + 1
		lines[i].N = st.lines
	}
	if err == nil {
		err = a.flush()
	}
	if err != nil && !isNoSpace(err) {
		return st.stat(), fmt.Errorf("append log: %w", err)
	}
	return st.stat(), nil
}

// appender gathers lines for one file of a log.
type appender struct {
	st    *logState
	files logFiles
	quota int64
	buf   []byte // not yet written
	count int64  // lines in buf
}

// add takes the line that follows st.lines.
func (a *appender) add(at time.Time, stream job.Stream, text string) error {
	if !a.fits(int64(linePrefix + len(text) + 1)) {
		if err := a.flush(); err != nil {
			return err
		}
		a.begin()
	}
	a.buf = appendLine(a.buf, at, stream, text)
	a.count++
	if len(a.buf) >= markEvery {
		return a.flush()
	}
	return nil
}

// fits reports whether the newest file takes the next line: it has room, and
// no line was dropped since its last.
func (a *appender) fits(size int64) bool {
	if len(a.st.segs) == 0 {
		return false
	}
	g := &a.st.segs[len(a.st.segs)-1]
	limit := a.quota / 8
	if g.first == 1 {
		limit = a.quota / 4
	}
	return g.first+g.count+a.count == a.st.lines+1 && g.size+int64(len(a.buf))+size <= limit
}

// begin starts a file at the next line, and lets the oldest of the tail go.
func (a *appender) begin() {
	g := segment{name: a.st.name + ".log", first: a.st.lines + 1, before: a.st.bytes}
	if len(a.st.segs) > 0 || g.first > 1 {
		g.name = fmt.Sprintf("%s.%012d.log", a.st.name, g.first)
	}
	a.buf = fmt.Appendf(a.buf, "%s%d %d\n", logMagic, g.first, g.before)
	g.head = int64(len(a.buf))
	a.st.segs = append(a.st.segs, g)
	for len(a.st.segs) > 1+tailFiles {
		a.files.remove(a.st.segs[1].name)
		a.st.segs = slices.Delete(a.st.segs, 1, 2)
	}
}

// flush writes what was gathered; on an error it is dropped.
func (a *appender) flush() error {
	if len(a.buf) == 0 {
		return nil
	}
	g := &a.st.segs[len(a.st.segs)-1]
	err := a.files.write(g.name, g.size, a.buf)
	if err == nil {
		g.grow(a.count, int64(len(a.buf)))
	} else if g.size == 0 {
		a.files.remove(g.name)
		a.st.segs = a.st.segs[:len(a.st.segs)-1]
	}
	a.buf, a.count = a.buf[:0], 0
	return err
}

// stat is what the log holds now.
func (st *logState) stat() job.LogStat {
	return job.LogStat{Lines: st.lines, Bytes: st.bytes, Truncated: st.kept() < st.lines}
}

// kept is how many lines are in the files.
func (st *logState) kept() int64 {
	n := int64(0)
	for _, g := range st.segs {
		n += g.count
	}
	return n
}

// cleanLine makes sure that a line stays one line of valid text.
func cleanLine(s string) string {
	if len(s) > maxLine {
		end := maxLine
		for end > maxLine-utf8.UTFMax && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.ContainsAny(s, "\n\r\x00") {
		s = strings.NewReplacer("\n", " ", "\r", " ", "\x00", "").Replace(s)
	}
	return s
}

func appendLine(b []byte, at time.Time, stream job.Stream, text string) []byte {
	b = at.UTC().AppendFormat(b, logLayout)
	letter := byte('s')
	switch stream {
	case job.Stdout:
		letter = 'o'
	case job.Stderr:
		letter = 'e'
	case job.System:
	}
	b = append(b, ' ', letter, ' ')
	b = append(b, text...)
	return append(b, '\n')
}
