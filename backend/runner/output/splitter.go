package output

import (
	"bytes"
	"unicode/utf8"
)

// MaxLine is the most bytes of a line's text; a longer line comes in pieces.
const MaxLine = 64 << 10

// Line is one line of output: valid UTF-8 without line ends and without any
// control character but tabs and complete SGR sequences.
type Line struct {
	Text string
	// Replaced is true for a line that ended with a carriage return and was
	// written over by the next one, as progress bars do.
	Replaced bool
	// Rest is true for the second and later pieces of a line over MaxLine.
	Rest bool
}

// Splitter cuts a stream of bytes into lines. A line ends with "\n", "\r\n" or
// "\r"; what follows the last end is a line too. The zero Splitter is ready; it
// holds at most one line.
type Splitter struct {
	// Mask, when set, takes secrets out of a line that must be cut, so that
	// none is hidden from it by the cut. Shorter lines are handed out as they are.
	Mask *Masker

	filter filter
	buf    []byte
	cr     bool // the last byte was a carriage return
	rest   bool // the next piece continues a line
}

// Write takes the next bytes and calls emit for each line that is complete.
func (s *Splitter) Write(p []byte, emit func(Line)) {
	for len(p) > 0 {
		if s.cr {
			s.cr = false
			if p[0] == '\n' {
				p = p[1:]
				s.end(emit, false)
				continue
			}
			s.end(emit, true)
		}
		room := len(p)
		if limit := s.limit(); len(s.buf)+len(p) > limit {
			room = max(limit-len(s.buf), utf8.UTFMax)
			room = min(room, len(p))
		}
		var n int
		s.buf, n = s.filter.read(s.buf, p[:room])
		if n < room {
			s.cr = p[n] == '\r'
			if !s.cr {
				s.end(emit, false)
			}
			n++
		}
		p = p[n:]
		for len(s.buf) >= s.limit() {
			if s.mask(); len(s.buf) >= s.limit() {
				s.cut(emit)
			}
		}
	}
}

// Flush hands out what is left at the end of the stream.
func (s *Splitter) Flush(emit func(Line)) {
	if s.buf = s.filter.endLine(s.buf); len(s.buf) > 0 {
		s.end(emit, false)
	}
	*s = Splitter{Mask: s.Mask, buf: s.buf[:0]}
}

// limit is how many bytes a line may have before it is cut: enough that a
// secret that begins before the cut is whole.
func (s *Splitter) limit() int {
	if s.Mask == nil {
		return MaxLine
	}
	return MaxLine + s.Mask.Longest()
}

func (s *Splitter) end(emit func(Line), replaced bool) {
	if len(s.buf) > MaxLine {
		s.mask()
	}
	for len(s.buf) > MaxLine {
		s.cut(emit)
	}
	if len(s.buf) > 0 || !s.rest {
		emit(Line{Text: string(s.buf), Replaced: replaced, Rest: s.rest})
	}
	s.buf, s.rest = s.buf[:0], false
}

func (s *Splitter) mask() {
	if s.Mask != nil {
		s.buf = append(s.buf[:0], s.Mask.Mask(string(s.buf))...)
	}
}

func (s *Splitter) cut(emit func(Line)) {
	at := min(len(s.buf), MaxLine)
	if at < len(s.buf) {
		for at > 0 && !utf8.RuneStart(s.buf[at]) {
			at--
		}
		// A colour must not be cut in two.
		if e := bytes.LastIndexByte(s.buf[:at], esc); e >= at-maxSGR-2 && e > 0 && bytes.IndexByte(s.buf[e:at], 'm') < 0 {
			at = e
		}
	}
	emit(Line{Text: string(s.buf[:at]), Rest: s.rest})
	s.buf = append(s.buf[:0], s.buf[at:]...)
	s.rest = true
}
