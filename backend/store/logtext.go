package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"telltale/backend/job"
)

// OpenLog implements job.Records. Where lines were dropped, one line says how
// many. The reader is for one goroutine.
func (s *Store) OpenLog(ctx context.Context, id job.ID) (io.ReadSeekCloser, int64, error) {
	raw, err := s.known(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	st, done, err := s.logs.use(raw)
	if err != nil {
		return nil, 0, err
	}
	defer done()
	t := &logText{}
	next := int64(1)
	for _, g := range st.segs {
		t.dropped(g.first - next)
		next = g.first + g.count
		f, _, err := s.logs.files.open(g.name)
		if err != nil {
			return nil, 0, errors.Join(fmt.Errorf("open log: %w", err), t.Close())
		}
		t.add(textPart{seg: g, file: f, size: g.text()})
	}
	t.dropped(st.lines + 1 - next)
	return t, t.size, nil
}

// logText is a log as text: the files without heads and prefixes, one after the
// other.
type logText struct {
	parts []textPart
	size  int64
	at    int64
	part  int           // the part at is in
	r     *bufio.Reader // lines of that part; nil after a seek
	rest  []byte        // of the current line
}

// textPart is a file of a log, or a note.
type textPart struct {
	start int64
	size  int64
	note  string
	seg   segment
	file  readerAtCloser
}

func (t *logText) add(p textPart) {
	p.start = t.size
	t.size += p.size
	t.parts = append(t.parts, p)
}

func (t *logText) dropped(lines int64) {
	if lines > 0 {
		note := fmt.Sprintf("[%d lines were not kept]\n", lines)
		t.add(textPart{note: note, size: int64(len(note))})
	}
}

// Read implements io.Reader.
func (t *logText) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		if len(t.rest) == 0 {
			if err := t.fill(); err != nil {
				if n > 0 && errors.Is(err, io.EOF) {
					return n, nil
				}
				return n, err
			}
		}
		m := copy(b[n:], t.rest)
		t.rest = t.rest[m:]
		t.at += int64(m)
		n += m
	}
	return n, nil
}

// fill sets rest to what stands at t.at, up to the end of the line.
func (t *logText) fill() error {
	for t.part < len(t.parts) && t.at >= t.parts[t.part].start+t.parts[t.part].size {
		t.part++
		t.r = nil
	}
	if t.part >= len(t.parts) {
		return io.EOF
	}
	p := &t.parts[t.part]
	into := t.at - p.start
	if p.file == nil {
		t.rest = []byte(p.note[into:])
		return nil
	}
	skip := int64(0)
	if t.r == nil {
		m := p.seg.textMark(into)
		skip = into - p.seg.textAt(m)
		t.r = bufio.NewReaderSize(io.NewSectionReader(p.file, m.at, p.seg.size-m.at), maxLine+256)
	}
	for {
		line, err := t.r.ReadSlice('\n')
		if err != nil || len(line) < linePrefix {
			return fmt.Errorf("read log: %w", errors.Join(err, io.ErrUnexpectedEOF))
		}
		line = line[linePrefix:]
		if int64(len(line)) > skip {
			t.rest = line[skip:]
			return nil
		}
		skip -= int64(len(line))
	}
}

// textAt is how many bytes of text stand before a mark.
func (g *segment) textAt(m mark) int64 { return m.at - g.head - m.line*int64(linePrefix) }

// textMark is the last mark at or before a place in the text.
func (g *segment) textMark(text int64) mark {
	best := mark{at: g.head}
	for _, m := range g.marks {
		if g.textAt(m) > text {
			break
		}
		best = m
	}
	return best
}

// Seek implements io.Seeker.
func (t *logText) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += t.at
	case io.SeekEnd:
		offset += t.size
	}
	if offset < 0 {
		return t.at, errors.New("seek before the beginning of a log")
	}
	if offset != t.at {
		t.at, t.part, t.r, t.rest = offset, 0, nil, nil
	}
	return offset, nil
}

// Close implements io.Closer.
func (t *logText) Close() error {
	var err error
	for _, p := range t.parts {
		if p.file != nil {
			err = errors.Join(err, p.file.Close())
		}
	}
	return err
}
