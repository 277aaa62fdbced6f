package cli

import (
	"strings"
	"unicode/utf8"
)

// plainText is what a job or a server said, safe to print on one line of a
// terminal: no control characters, no escape sequences, no directional
// overrides that would make a text read other than it is.
func plainText(s string) string { return safe(s, false) }

// logText is a line of a log, safe to print on a terminal. Colours stay (SGR
// sequences, ECMA-48 8.3.117), every other escape sequence goes.
func logText(s string) string { return safe(s, true) }

func safe(s string, colours bool) string {
	if !strings.ContainsFunc(s, unsafe) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	coloured := false
	for len(s) > 0 {
		if s[0] == '\x1b' {
			n, sgr := escape(s)
			if sgr && colours {
				b.WriteString(s[:n])
				coloured = true
			}
			s = s[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == '\t':
			b.WriteString("    ")
		case r == utf8.RuneError:
			b.WriteRune('\uFFFD')
		case !unsafe(r):
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	if coloured {
		b.WriteString(reset)
	}
	return b.String()
}

// unsafe reports whether a character does something other than stand there.
func unsafe(r rune) bool {
	switch {
	case r < ' ', r >= 0x7f && r < 0xa0, r == utf8.RuneError:
		return true
	case r == '\u061c', r == '\u200e', r == '\u200f', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
		return true
	}
	return false
}

// escape is the length of the escape sequence s begins with (ECMA-48 5.3, 5.4,
// 5.6), also of one that breaks off, and whether it only sets colours.
func escape(s string) (length int, sgr bool) {
	if len(s) < 2 {
		return len(s), false
	}
	switch s[1] {
	case '[':
		i := 2
		for i < len(s) && s[i] >= 0x20 && s[i] <= 0x3f {
			i++
		}
		if i == len(s) || s[i] < 0x40 || s[i] > 0x7e {
			return i, false
		}
		return i + 1, s[i] == 'm' && strings.Trim(s[2:i], "0123456789;:") == ""
	case ']', 'P', 'X', '^', '_': // strings that run to BEL or ST
		for i := 2; i < len(s); i++ {
			if s[i] == '\a' {
				return i + 1, false
			}
			if s[i] == '\x1b' && i+1 < len(s) && s[i+1] == '\\' {
				return i + 2, false
			}
		}
		return len(s), false
	}
	i := 1
	for i < len(s) && s[i] >= 0x20 && s[i] <= 0x2f {
		i++
	}
	if i < len(s) && s[i] >= 0x30 && s[i] <= 0x7e {
		i++
	}
	return i, false
}
