package cli

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWhatAJobSaysCannotDriveTheTerminal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ said, plain, log string }{
		{"3 commits pushed", "3 commits pushed", "3 commits pushed"},
		{"zürich – 東京 ✔", "zürich – 東京 ✔", "zürich – 東京 ✔"},
		{"\x1b[31mred\x1b[0m", "red", "\x1b[31mred\x1b[0m\x1b[0m"},
		{"\x1b[38:2::1:2:3mtrue\x1b[m", "true", "\x1b[38:2::1:2:3mtrue\x1b[m\x1b[0m"},
		{"up\x1b[2Aand\x1b[2Jaway", "upandaway", "upandaway"},
		{"\x1b]0;owned\atitle", "title", "title"},
		{"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link", "link"},
		{"\x1b]52;c;aGk=", "", ""},
		{"\x1bPq#0\x1b\\sixel", "sixel", "sixel"},
		{"half\x1b[3", "half", "half"},
		{"lone\x1b", "lone", "lone"},
		{"\x1b(Bcharset\x1bcreset", "charsetreset", "charsetreset"},
		{"a\rb\nc\x00d\x7fe\u009bf", "abcdef", "abcdef"},
		{"tab\tbed", "tab    bed", "tab    bed"},
		{"bad \xff byte", "bad \uFFFD byte", "bad \uFFFD byte"},
		{"evil\u202etxt.exe", "eviltxt.exe", "eviltxt.exe"},
		{"\x1b[>4;1mkeys", "keys", "keys"},
	} {
		if got := plainText(c.said); got != c.plain {
			t.Errorf("plainText(%q) is %q, want %q", c.said, got, c.plain)
		}
		if got := logText(c.said); got != c.log {
			t.Errorf("logText(%q) is %q, want %q", c.said, got, c.log)
		}
	}
}

func FuzzPlainText(f *testing.F) {
	for _, s := range []string{"x", "\x1b[31mred", "\x1b]0;t\a", "\x1b[", "\x1bP\x1b\\", "\u202e", "\xff\x1b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		plain, log := plainText(s), logText(s)
		if strings.ContainsFunc(plain, func(r rune) bool { return r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) }) {
			t.Errorf("plainText(%q) keeps a control character: %q", s, plain)
		}
		if !utf8.ValidString(plain) || !utf8.ValidString(log) {
			t.Errorf("%q is not made valid UTF-8", s)
		}
		if plainText(plain) != plain {
			t.Errorf("plainText(%q) changes when made safe again", s)
		}
		if got := plainText(log); got != plain {
			t.Errorf("without its colours the log line of %q is %q, not %q", s, got, plain)
		}
	})
}
