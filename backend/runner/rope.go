package runner

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"telltale/backend/job"
	"telltale/backend/runner/output"
)

const (
	allowance = 64 << 20 // bytes of log a task may hand over
	trickle   = 16 << 10 // bytes a second beyond that: the newest
	overhead  = 64       // bytes a line costs besides its text
)

func lineCost(l job.Line) int { return len(l.Text) + overhead }

// rope is how much more a task may say. It bounds what a flood of output costs
// everybody behind the voice: when it has run out, only the newest lines are
// kept until some has grown back, and the rest is counted.
type rope struct {
	left    int // bytes; never above allowance
	at      time.Time
	waiting []job.Line // the newest lines there was no rope for
	size    int        // bytes of waiting
	lines   int64      // left out before waiting
	bytes   int64
}

func newRope(now time.Time) rope { return rope{left: allowance, at: now} }

func (r *rope) refill(now time.Time) {
	if grown := int(now.Sub(r.at).Seconds() * trickle); grown > 0 {
		r.left, r.at = min(r.left+min(grown, allowance), allowance), now
	}
}

// short reports whether lines must wait.
func (r *rope) short() bool { return r.left < trickle }

// take reports whether the line may be handed over now; else it waits, and the
// oldest that wait are left out.
func (r *rope) take(l job.Line) bool {
	cost := lineCost(l)
	if !r.short() && len(r.waiting) == 0 {
		r.left -= cost
		return true
	}
	r.waiting = append(r.waiting, l)
	r.size += cost
	for r.size > trickle && len(r.waiting) > 1 {
		r.leave(1, int64(len(r.waiting[0].Text)))
		r.size -= lineCost(r.waiting[0])
		r.waiting = r.waiting[1:]
	}
	return false
}

// leave counts what is left out.
func (r *rope) leave(lines, bytes int64) {
	r.lines += lines
	r.bytes += bytes
}

// reel hands over the lines that waited, after a line that says what is
// missing before them. The voice is locked.
func (v *voice) reel() {
	r := &v.rope
	if r.lines > 0 || r.bytes > 0 {
		v.system(fmt.Sprintf("%d lines (%s) are left out here: the output is more than a log takes.", r.lines, inBytes(r.bytes)))
	}
	r.lines, r.bytes = 0, 0
	waiting := r.waiting
	r.left -= r.size
	r.waiting, r.size = nil, 0
	for _, l := range waiting {
		v.add(l)
	}
}

// skim is how a stream is read while there is no rope: bytes are counted, the
// last are kept, and only lines that begin with "::" are looked at.
type skim struct {
	on      bool
	tail    []byte // the newest bytes
	whole   bool   // tail begins at the beginning of a line
	command []byte // a line that may be a command, so far
	within  bool   // command is being read
	begins  bool   // the next byte begins a line
}

// beginSkim reads on to the end of the line and returns the rest of p.
func (v *voice) beginSkim(s *stream, p []byte) []byte {
	n := bytes.IndexByte(p, '\n') + 1
	hear := func(l output.Line) { v.heard(s, l) }
	s.splitter.Write(p[:n], hear)
	s.splitter.Flush(hear)
	s.skim = skim{on: true, begins: true, whole: true}
	return p[n:]
}

// catchUp hands over what waited, once there is rope again.
func (v *voice) catchUp() {
	v.endSkims()
	if len(v.rope.waiting) > 0 || v.rope.lines > 0 || v.rope.bytes > 0 {
		v.reel()
	}
}

func (v *voice) endSkims() {
	for _, name := range []job.Stream{job.Stdout, job.Stderr} {
		v.endSkim(v.streams[name])
	}
}

// endSkim makes lines of the tail, which were counted as left out. Commands
// among them were heard already.
func (v *voice) endSkim(s *stream) {
	if !s.skim.on {
		return
	}
	tail := s.skim.tail
	if !s.skim.whole {
		tail = tail[bytes.IndexByte(tail, '\n')+1:]
	}
	s.skim = skim{}
	v.rope.leave(-int64(bytes.Count(tail, []byte("\n"))), -int64(len(tail)))
	s.splitter.Write(tail, func(l output.Line) {
		if strings.HasPrefix(l.Text, ":") {
			v.put(s.name, l.Text)
			return
		}
		v.heard(s, l)
	})
}

// read takes the next bytes, calls command for each line that may be one, and
// returns how many lines and bytes went by.
func (s *skim) read(p []byte, command func(line string)) (lines, size int64) {
	lines, size = int64(bytes.Count(p, []byte("\n"))), int64(len(p))
	s.keep(p)
	for len(p) > 0 {
		if s.begins && p[0] == ':' {
			s.within, s.command = true, s.command[:0]
		}
		s.begins = false
		if !s.within {
			n := bytes.Index(p, []byte("\n:"))
			if n < 0 {
				s.begins = p[len(p)-1] == '\n'
				return lines, size
			}
			p, s.begins = p[n+1:], true
			continue
		}
		n := bytes.IndexByte(p, '\n')
		if n < 0 {
			n = len(p)
		}
		s.command = append(s.command, p[:min(n, output.MaxLine-len(s.command))]...)
		if n < len(p) {
			s.within, s.begins = false, true
			command(output.Clean(string(s.command)))
			n++
		}
		p = p[n:]
	}
	return lines, size
}

// keep keeps the newest bytes.
func (s *skim) keep(p []byte) {
	if over := len(s.tail) + len(p) - trickle; over > 0 {
		s.whole = false
		s.tail = s.tail[:copy(s.tail, s.tail[min(over, len(s.tail)):])]
		p = p[max(0, len(p)-trickle):]
	}
	s.tail = append(s.tail, p...)
}

// inBytes is a size for people.
func inBytes(n int64) string {
	switch {
	case n < 10<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 10<<20:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}
