package output

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

const secret = `p+ss/wörd"?&=%<x>`

func TestSecretsAreMaskedHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	m := NewMasker([]string{secret})
	encoded, _ := json.Marshal(secret)
	python := `p+ss/w\u00f6rd\"?&=%<x>`
	for name, form := range map[string]string{
		"plain":            secret,
		"JSON":             strings.Trim(string(encoded), `"`),
		"JSON of Python":   python,
		"query":            url.QueryEscape(secret),
		"path":             url.PathEscape(secret),
		"lower-case query": "p%2bss%2fw%c3%b6rd%22%3f%26%3d%25%3cx%3e",
		"base64":           base64.StdEncoding.EncodeToString([]byte(secret)),
		"raw base64":       base64.RawStdEncoding.EncodeToString([]byte(secret)),
		"base64 for URLs":  base64.URLEncoding.EncodeToString([]byte(secret)),
		"coloured":         "\x1b[1m" + secret[:5] + "\x1b[31m" + secret[5:] + "\x1b[0m",
	} {
		got := m.Mask("before " + form + " after")
		if !strings.Contains(got, "***") || strings.Contains(got, form) || !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestASecretInsideABase64TextIsMasked(t *testing.T) {
	t.Parallel()
	m := NewMasker([]string{secret})
	for _, user := range []string{"", "a", "ab", "abc", "abcd"} {
		header := base64.StdEncoding.EncodeToString([]byte(user + ":" + secret + ":tail"))
		got := m.Mask("Authorization: Basic " + header)
		left, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(got, "Authorization: Basic "))
		if !strings.Contains(got, "***") || strings.Contains(string(left), secret[:8]) {
			t.Errorf("user %q: %q", user, got)
		}
	}
}

func TestEachLineOfASecretOfSeveralLinesIsMasked(t *testing.T) {
	t.Parallel()
	m := NewMasker([]string{"-----BEGIN KEY-----\nAAAAB3NzaC1yc2E\nshort\n-----END KEY-----\n"})
	if got := m.Mask("x AAAAB3NzaC1yc2E short"); got != "x *** short" {
		t.Errorf("%q", got)
	}
}

func TestOverlappingSecretsLeaveNothing(t *testing.T) {
	t.Parallel()
	m := NewMasker([]string{"abcdef", "defghi", "abcdefgh", "tiny"})
	for in, want := range map[string]string{
		"<abcdefghi>":    "<***>",
		"<abcdefabcdef>": "<***>",
		"<abcde>":        "<abcde>",
		"tiny":           "tiny",
		"abcdef":         "***",
	} {
		if got := m.Mask(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestMasksMayBeAddedButNotWithoutEnd(t *testing.T) {
	t.Parallel()
	m := NewMasker(nil)
	if m.Add("short") || m.Mask("short") != "short" {
		t.Error("a short secret was taken")
	}
	if !m.Add("long enough") || m.Mask("it is long enough.") != "it is ***." {
		t.Error("a mask was not taken")
	}
	for i := range 10_000 {
		m.Add("another secret " + strings.Repeat("x", i%50) + string(rune('a'+i%26)) + strings.Repeat("y", i/500))
	}
	if len(m.known) > maxNeedles {
		t.Errorf("%d masks", len(m.known))
	}
}

func FuzzMasker(f *testing.F) {
	f.Add("the password is hunter22!", "hunter22")
	f.Add("\x1b[1mhunter\x1b[0m22", "hunter22")
	f.Add("aaaaaaaaaaaa", "aaaaaaa")
	f.Fuzz(func(t *testing.T, text, secret string) {
		m := NewMasker([]string{secret})
		got := m.Mask(Clean(text))
		for line := range strings.SplitSeq(secret, "\n") {
			if line = strings.TrimRight(line, "\r"); len(line) >= MinSecret && !strings.ContainsAny(line, "\r*") && strings.Contains(stripColour(got), line) {
				t.Errorf("%q is in %q", line, got)
			}
		}
	})
}

func BenchmarkMasker(b *testing.B) {
	m := NewMasker([]string{secret, "another secret of mine", "sk-0123456789abcdef"})
	line := strings.Repeat("All work and no play makes Jack a dull boy. ", 100)
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		m.Mask(line)
	}
}

func BenchmarkSplitter(b *testing.B) {
	block := []byte(strings.Repeat("All work and no play makes Jack a dull boy.\n", 1000))
	b.SetBytes(int64(len(block)))
	var s Splitter
	for b.Loop() {
		s.Write(block, func(Line) {})
	}
}
