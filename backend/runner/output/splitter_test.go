package output

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// split cuts text that comes in chunks of n bytes.
func split(text string, n int, mask *Masker) []Line {
	var lines []Line
	s := Splitter{Mask: mask}
	emit := func(l Line) { lines = append(lines, l) }
	for len(text) > 0 {
		m := min(n, len(text))
		s.Write([]byte(text[:m]), emit)
		text = text[m:]
	}
	s.Flush(emit)
	return lines
}

// read is how the lines of text are read, "<" after one that is written over.
func read(text string, n int) string {
	var words []string
	for _, l := range split(text, n, nil) {
		word := l.Text
		if l.Replaced {
			word += "<"
		}
		words = append(words, word)
	}
	return strings.Join(words, "|")
}

func TestLinesEndAtLineFeedsAndCarriageReturns(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                               "",
		"a":                              "a",
		"a\nb\n":                         "a|b",
		"a\r\nb\r\n":                     "a|b",
		"10%\r20%\r30%\n":                "10%<|20%<|30%",
		"10%\r20%\r":                     "10%<|20%",
		"\n\n":                           "|",
		"a\r\r\nb":                       "a<||b",
		"bell\ator\b\v\fn\x7f\n":         "belltorn",
		"tab\tstays":                     "tab\tstays",
		"nul\x00gone":                    "nulgone",
		"\ufeffmark\n\ufeffkept":         "mark|\ufeffkept",
		"bad \xff\xfe byte":              "bad \ufffd\ufffd byte",
		"half \xe2\x82":                  "half \ufffd\ufffd",
		"half \xe2\x82\nline":            "half \ufffd\ufffd|line",
		"half \xe2\x82x":                 "half \ufffd\ufffdx",
		"\xc3\xa9\xe2\x82\xac\U0001f600": "é€😀",
		"c1 \u0085next":                  "c1 next",
	} {
		for n := 1; n <= len(in)+1; n++ {
			if got := read(in, n); got != want {
				t.Errorf("%q in chunks of %d: %q, want %q", in, n, got, want)
			}
		}
	}
}

// R47 and R48: only colours come through.
func TestControlSequencesAreTakenOut(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"\x1b[31mred\x1b[0m":        "\x1b[31mred\x1b[0m",
		"\x1b[38;2;1;2;3mrgb\x1b[m": "\x1b[38;2;1;2;3mrgb\x1b[m",
		"\x1b[4:3mcurly":            "\x1b[4:3mcurly",
		"\x1b[2J\x1b[Hcleared":      "cleared",
		"\x1b[?25lhidden\x1b[?25h":  "hidden",
		"\x1b[>4;2mkeys":            "keys",
		"\x1b[1;31":                 "",
		"a\x1b":                     "a",
		"a\x1b[\nb":                 "a|b",
		"\x1b]0;title\x07text":      "text",
		"\x1b]0;title\x1b\\text":    "text",
		"\x1b]8;;javascript:alert(1)\x1b\\link\x1b]8;;\x1b\\": "link",
		"\x1b]52;c;c2VjcmV0\x07text":                          "text",
		"\x1bPq#0;2;0;0;0~~@@\x1b\\text":                      "text",
		"\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\text":       "text",
		"\x1b]0;never ends\nnext":                             "|next",
		"\x1b]0;cut\x1b[31mred":                               "\x1b[31mred",
		"\x1b(0lines\x1b(B\x1b=\x1bc":                         "lines",
		"\x1b[3\x18canceled":                                  "canceled",
		"\x1b[" + strings.Repeat("1", 1<<20) + "mlong":        "long",
		"\x1b[" + strings.Repeat("1;", 40) + "mlong":          "long",
		"\u009b31mc1 csi":                                     "\x1b[31mc1 csi",
		"\u009d0;title\u009ctext":                             "text",
		"\u0090dcs\u009ctext":                                 "text",
		"\x1b[31\xc3\xa9":                                     "é",
	} {
		for _, n := range []int{1, 2, 3, 5, 7, 1 << 20} {
			if n < 7 && len(in) > 1000 {
				continue
			}
			if got := read(in, n); got != want {
				t.Errorf("%.40q in chunks of %d: %q, want %q", in, n, got, want)
			}
		}
	}
}

func TestLongLinesComeInPieces(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("é", MaxLine) + "\nshort\n"
	lines := split(text, 1000, nil)
	if len(lines) < 3 || lines[0].Rest || !lines[1].Rest || lines[len(lines)-1] != (Line{Text: "short"}) {
		t.Fatalf("%d lines", len(lines))
	}
	var whole strings.Builder
	for _, l := range lines[:len(lines)-1] {
		if len(l.Text) > MaxLine || !utf8.ValidString(l.Text) {
			t.Errorf("a piece of %d bytes, valid: %v", len(l.Text), utf8.ValidString(l.Text))
		}
		whole.WriteString(l.Text)
	}
	if whole.String() != strings.Repeat("é", MaxLine) {
		t.Error("the pieces are not the line")
	}
	if got := split(strings.Repeat("x", MaxLine)+"\n", 4096, nil); len(got) != 1 {
		t.Errorf("a line of exactly MaxLine bytes came in %d pieces", len(got))
	}
	for i := range 8 {
		coloured := strings.Repeat("x", MaxLine-i) + "\x1b[31mred\x1b[0m"
		for _, l := range split(coloured, 1<<20, nil) {
			if strings.HasSuffix(l.Text, "\x1b") || strings.HasSuffix(l.Text, "\x1b[") || strings.HasSuffix(l.Text, "\x1b[3") || strings.HasSuffix(l.Text, "\x1b[31") {
				t.Errorf("a colour is cut in two: %q", l.Text[len(l.Text)-8:])
			}
		}
	}
}

func TestASecretAtTheCutOfALongLineIsMasked(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse-battery"
	for _, before := range []int{MaxLine - 30, MaxLine - 21, MaxLine - 10, MaxLine - 1, MaxLine, MaxLine + 5} {
		text := strings.Repeat("x", before) + secret + strings.Repeat("y", 70_000)
		for _, n := range []int{7, 4096, 1 << 20} {
			var b strings.Builder
			for _, l := range split(text, n, NewMasker([]string{secret})) {
				b.WriteString(NewMasker([]string{secret}).Mask(l.Text))
			}
			whole := b.String()
			if strings.Contains(whole, secret) || strings.Contains(whole, secret[:12]) || strings.Contains(whole, secret[8:]) {
				t.Fatalf("%d bytes before, chunks of %d: the secret is in the log", before, n)
			}
		}
	}
}

func FuzzSplitter(f *testing.F) {
	for _, seed := range []string{"a\r\nb\rc\n", "\x1b[31mred\x1b]0;t\x07", "\xe2\x82\xac\xff\x00", "\u009b1m\ufeff", "::warning::x\n"} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		if n < 1 {
			n = 1
		}
		whole := split(string(data), len(data)+1, nil)
		if diff := cmp.Diff(whole, split(string(data), n, nil)); diff != "" {
			t.Errorf("chunks of %d read otherwise:\n%s", n, diff)
		}
		for _, l := range whole {
			if err := clean(l.Text); err != nil || len(l.Text) > MaxLine {
				t.Errorf("%q: %v", l.Text, err)
			}
			if again := Clean(l.Text); again != l.Text {
				t.Errorf("cleaned twice: %q, %q", l.Text, again)
			}
			if p := Plain(l.Text, 50); len(p) > 50 || strings.ContainsRune(p, esc) {
				t.Errorf("plain: %q", p)
			}
		}
	})
}

// clean says what is wrong with a line's text.
func clean(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("not UTF-8")
	}
	rest := s
	for {
		before, after, found := strings.Cut(rest, "\x1b")
		if strings.ContainsFunc(before, func(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 }) {
			return errors.New("a control character")
		}
		if !found {
			return nil
		}
		m := strings.IndexByte(after, 'm')
		if !strings.HasPrefix(after, "[") || m < 0 || strings.Trim(after[1:m], "0123456789;:") != "" {
			return errors.New("a sequence that is no colour")
		}
		rest = after[m+1:]
	}
}

func TestPlainIsOneShortSentence(t *testing.T) {
	t.Parallel()
	got := []string{Plain(" a\t\x1b[1mb\x1b[0m\n\nc ", 100), Plain(strings.Repeat("é", 100), 20), Plain("\x1b]0;x\x07", 10)}
	if want := []string{"a b c", strings.Repeat("é", 8) + "…", ""}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
