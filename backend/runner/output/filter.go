package output

import (
	"bytes"
	"unicode/utf8"
)

// filter removes from a stream of bytes what a log must not hold: invalid
// UTF-8 becomes U+FFFD, one for each byte; control characters and control
// sequences go, but for SGR, which only colours text. It works byte by byte
// after the state machine of DEC's terminals (ECMA-48), so that a sequence may
// be cut anywhere. No sequence reaches over the end of a line: an unfinished
// one swallows the rest of its line and no more.
type filter struct {
	state filterState
	begun bool              // something came before; a byte order mark counts only at the very beginning
	seq   [maxSGR]byte      // parameters of the CSI sequence so far
	n     int               // bytes in seq; maxSGR+1 when there were too many
	part  [utf8.UTFMax]byte // an unfinished UTF-8 sequence
	parts int
	prev  byte // the byte before, within a string sequence
}

// maxSGR is the most parameter bytes of a colour that is kept. The longest
// useful one, both colours in 24 bits and some attributes, takes fewer.
const maxSGR = 48

type filterState uint8

const (
	inText filterState = iota
	inEscape
	inEscapeMore // after an intermediate byte
	inCSI
	inString // OSC, DCS, SOS, PM, APC: up to ST, BEL or the end of the line
	inStringEscape
)

const (
	bel = 0x07
	can = 0x18
	sub = 0x1a
	esc = 0x1b
	del = 0x7f
)

func plain(b byte) bool { return b >= ' ' && b < del || b == '\t' }

// read appends the clean form of p to dst, up to the first line feed or
// carriage return of p, and returns how far it came: the index of that byte, or
// len(p).
func (f *filter) read(dst, p []byte) ([]byte, int) {
	for i := 0; i < len(p); {
		b := p[i]
		if b == '\n' || b == '\r' {
			return f.endLine(dst), i
		}
		if f.state == inText {
			var n int
			dst, n = f.text(dst, p[i:])
			i += n
			continue
		}
		var again bool
		if dst, again = f.control(dst, b); !again {
			i++
		}
	}
	return dst, len(p)
}

// endLine ends whatever was unfinished.
func (f *filter) endLine(dst []byte) []byte {
	f.state, f.begun = inText, true
	return f.dropPart(dst)
}

func (f *filter) dropPart(dst []byte) []byte {
	for range f.parts {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	f.parts = 0
	return dst
}

// text takes at least one byte of p, outside of any sequence.
func (f *filter) text(dst, p []byte) ([]byte, int) {
	if f.parts > 0 {
		f.part[f.parts] = p[0]
		if !utf8.FullRune(f.part[:f.parts+1]) {
			f.parts++
			return dst, 1
		}
		r, size := utf8.DecodeRune(f.part[:f.parts+1])
		if size <= 1 {
			return f.dropPart(dst), 0
		}
		f.parts = 0
		return f.rune(dst, r), 1
	}
	n := 0
	for n < len(p) && plain(p[n]) {
		n++
	}
	if n > 0 {
		f.begun = true
		return append(dst, p[:n]...), n
	}
	switch b := p[0]; {
	case b == esc:
		f.state, f.begun = inEscape, true
		return dst, 1
	case b < utf8.RuneSelf:
		f.begun = true
		return dst, 1
	}
	if !utf8.FullRune(p) {
		f.parts = copy(f.part[:], p)
		return dst, len(p)
	}
	r, size := utf8.DecodeRune(p)
	return f.rune(dst, r), size
}

// rune takes a character beyond ASCII; a C1 control may begin a sequence.
func (f *filter) rune(dst []byte, r rune) []byte {
	first := !f.begun
	f.begun = true
	switch {
	case r == 0x9b:
		f.state, f.n = inCSI, 0
	case r == 0x90 || r == 0x98 || r >= 0x9d && r <= 0x9f:
		f.state, f.prev = inString, 0
	case r < 0xa0, r == 0xfeff && first:
	default:
		return utf8.AppendRune(dst, r)
	}
	return dst
}

// control takes one byte of a control sequence; again means that b ended it
// without belonging to it.
func (f *filter) control(dst []byte, b byte) (out []byte, again bool) {
	switch {
	case b == can || b == sub:
		f.state = inText
		return dst, false
	case f.state == inString:
		f.string(b)
		return dst, false
	case f.state == inStringEscape:
		f.state = inEscape
		if b == '\\' {
			f.state = inText
			return dst, false
		}
		return dst, true
	case b == esc:
		f.state = inEscape
		return dst, false
	case b < ' ' || b == del:
		return dst, false
	case b >= utf8.RuneSelf:
		f.state = inText
		return dst, true
	case f.state == inCSI:
		return f.csi(dst, b), false
	case b < '0':
		f.state = inEscapeMore
		return dst, false
	case f.state == inEscapeMore:
		f.state = inText
		return dst, false
	}
	switch b {
	case '[':
		f.state, f.n = inCSI, 0
	case ']', 'P', 'X', '^', '_':
		f.state, f.prev = inString, 0
	default:
		f.state = inText
	}
	return dst, false
}

func (f *filter) string(b byte) {
	switch {
	case b == esc:
		f.state = inStringEscape
	case b == bel, b == 0x9c && f.prev == 0xc2: // ST as a C1 control, in UTF-8
		f.state = inText
	}
	f.prev = b
}

func (f *filter) csi(dst []byte, b byte) []byte {
	if b >= '@' {
		f.state = inText
		if b == 'm' && f.n <= maxSGR && sgr(f.seq[:f.n]) {
			dst = append(dst, esc, '[')
			dst = append(dst, f.seq[:f.n]...)
			dst = append(dst, 'm')
		}
		return dst
	}
	if f.n < maxSGR {
		f.seq[f.n] = b
	}
	f.n = min(f.n+1, maxSGR+1)
	return dst
}

func sgr(params []byte) bool {
	return len(bytes.Trim(params, "0123456789;:")) == 0 && !bytes.ContainsFunc(params, func(r rune) bool {
		return (r < '0' || r > '9') && r != ';' && r != ':'
	})
}
