package output

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes one log line of a text that was decoded from something else: the
// same characters go as in a [Splitter], and line ends become spaces.
func Clean(s string) string {
	var f filter
	f.begun = true
	dst := make([]byte, 0, len(s))
	p := []byte(s)
	for len(p) > 0 {
		var n int
		if dst, n = f.read(dst, p); n < len(p) {
			dst = append(dst, ' ')
			n++
		}
		p = p[n:]
	}
	return string(f.endLine(dst))
}

// Plain makes one short sentence of a text: as [Clean], without colours, runs
// of white space as one space, none at the ends, and at most limit bytes, the
// last of which are "…" when something was cut.
func Plain(s string, limit int) string {
	// What lies far beyond the limit cannot matter, and a line may be long.
	if far := 8*limit + 4096; len(s) > far {
		s = s[:far]
	}
	s = stripColour(Clean(s))
	s = strings.Join(strings.FieldsFunc(s, unicode.IsSpace), " ")
	if len(s) <= limit {
		return s
	}
	at := limit - len("…")
	for at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return s[:at] + "…"
}

// stripColour removes the SGR sequences of clean text.
func stripColour(s string) string {
	before, after, found := strings.Cut(s, "\x1b")
	if !found {
		return s
	}
	var b strings.Builder
	for found {
		b.WriteString(before)
		if m := strings.IndexByte(after, 'm'); m >= 0 {
			after = after[m+1:]
		}
		before, after, found = strings.Cut(after, "\x1b")
	}
	b.WriteString(before)
	return b.String()
}
