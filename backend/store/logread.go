package store

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"telltale/backend/job"
)

// maxPart is how many bytes of text one ReadLog returns, about.
const maxPart = 4 << 20

var errBadLog = errors.New("not a log file")

// load reads what a log's files hold. A line that a killed process left
// unfinished is cut off.
func (st *logState) load(files logFiles) error {
	names, err := files.list(st.name)
	if err != nil {
		return fmt.Errorf("list log: %w", err)
	}
	st.segs, st.lines, st.bytes = nil, 0, 0
	for _, name := range names {
		g, err := loadSegment(files, name)
		if errors.Is(err, errBadLog) {
			files.remove(name) // killed before its head was written
			continue
		}
		if err != nil {
			st.lines = -1
			return fmt.Errorf("read log: %w", err)
		}
		st.segs = append(st.segs, g)
		st.lines, st.bytes = g.first+g.count-1, g.before+g.text()
	}
	return nil
}

func loadSegment(files logFiles, name string) (segment, error) {
	f, size, err := files.open(name)
	if err != nil {
		return segment{}, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(io.NewSectionReader(f, 0, size), maxLine+256)
	head, err := r.ReadString('\n')
	g := segment{name: name, head: int64(len(head)), size: int64(len(head))}
	if err != nil || !parseLogHead(head, &g) {
		return segment{}, errBadLog
	}
	for {
		line, err := r.ReadSlice('\n')
		if err != nil || len(line) < linePrefix+1 {
			break // torn, or not written by us: what comes after is not trusted
		}
		g.grow(1, int64(len(line)))
	}
	if g.size < size {
		return g, files.cut(name, g.size)
	}
	return g, nil
}

func parseLogHead(head string, g *segment) bool {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(head, "\n"), logMagic)
	first, before, found := strings.Cut(rest, " ")
	var err1, err2 error
	g.first, err1 = strconv.ParseInt(first, 10, 64)
	g.before, err2 = strconv.ParseInt(before, 10, 64)
	return ok && found && err1 == nil && err2 == nil && g.first > 0 && g.before >= 0
}

// parseLine reads one line of a file, without its line feed. One that was
// damaged is shown as what it is, without a time.
func parseLine(b []byte) job.Line {
	l := job.Line{Stream: job.System}
	at, err := time.Parse(logLayout, string(b[:len(logLayout)]))
	if err != nil {
		l.Text = cleanLine(string(b))
		return l
	}
	l.At, l.Text = at, string(b[linePrefix:])
	switch b[len(logLayout)+1] {
	case 'o':
		l.Stream = job.Stdout
	case 'e':
		l.Stream = job.Stderr
	}
	return l
}

// AppendLog implements job.Records. Lines are written at once but not synced.
// When the disk has no room they are numbered and counted, but not kept.
func (s *Store) AppendLog(ctx context.Context, id job.ID, lines []job.Line) (job.LogStat, error) {
	raw, err := s.known(ctx, id)
	if err != nil {
		return job.LogStat{}, err
	}
	return s.logs.append(raw, lines)
}

// known checks that a job is kept, and the store open.
func (s *Store) known(ctx context.Context, id job.ID) (rawID, error) {
	raw, err := parseID(id)
	if err != nil {
		return raw, err
	}
	if err := ctx.Err(); err != nil {
		return raw, context.Cause(ctx)
	}
	if err := s.closed(); err != nil {
		return raw, err
	}
	if _, ok := s.now.get(raw); ok {
		return raw, nil
	}
	return raw, s.isFinal(raw)
}

// ReadLog implements job.Records. It returns fewer lines than limit when they
// are long.
func (s *Store) ReadLog(ctx context.Context, id job.ID, from int64, limit int) (job.LogPart, error) {
	raw, err := s.known(ctx, id)
	if err != nil {
		return job.LogPart{}, err
	}
	st, done, err := s.logs.use(raw)
	if err != nil {
		return job.LogPart{}, err
	}
	defer done()
	return st.read(s.logs.files, max(from, 1), max(limit, 1))
}

func (st *logState) read(files logFiles, from int64, limit int) (job.LogPart, error) {
	part := job.LogPart{Lines: []job.Line{}, Next: from}
	size := 0
	for i := range st.segs {
		g := &st.segs[i]
		if g.first+g.count <= part.Next {
			continue
		}
		if len(part.Lines) >= limit || size >= maxPart {
			return part, nil
		}
		if g.first > part.Next {
			part.Dropped += g.first - part.Next
			part.Next = g.first
		}
		if err := g.read(files, &part, limit, &size); err != nil {
			return part, fmt.Errorf("read log: %w", err)
		}
	}
	if part.Next <= st.lines && len(part.Lines) < limit && size < maxPart {
		part.Dropped += st.lines + 1 - part.Next // nothing was kept since
		part.Next = st.lines + 1
	}
	return part, nil
}

// read adds lines from part.Next on.
func (g *segment) read(files logFiles, part *job.LogPart, limit int, size *int) error {
	f, _, err := files.open(g.name)
	if err != nil {
		return err
	}
	defer f.Close()
	m := g.mark(part.Next - g.first)
	r := bufio.NewReaderSize(io.NewSectionReader(f, m.at, g.size-m.at), maxLine+256)
	for n := g.first + m.line; n < g.first+g.count && len(part.Lines) < limit && *size < maxPart; n++ {
		b, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if n < part.Next {
			continue
		}
		line := parseLine(bytes.TrimSuffix(b, []byte("\n")))
		line.N = n
		part.Lines = append(part.Lines, line)
		part.Next = n + 1
		*size += len(b)
	}
	return nil
}

// remove deletes the log of a job that is no longer kept.
func (l *logs) remove(id rawID) error {
	st, done, err := l.use(id)
	if err != nil {
		return err
	}
	defer done()
	for _, g := range st.segs {
		l.files.remove(g.name)
	}
	st.segs, st.lines, st.bytes = nil, 0, 0
	return nil
}
