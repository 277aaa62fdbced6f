package action

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzTemplate checks that text that is written as a literal comes back, and
// that what is filled in stands in the result as it is.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{"", "x", "{{params.x}}", "a{{ target.id }}b{{params.y}}", "{{{{", "{{", "}}", "{{params.}}", "{{{params.x}}}", "{{params.x.y}}", "{{{{{{params.x}}"} {
		f.Add(seed, "{{params.x}} $(id)")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		if back, err := parseTemplate(literal(text)); err == nil && !strings.HasSuffix(text, "{") {
			if got := back.fill(nil); got != text {
				t.Errorf("literal %q came back as %q", text, got)
			}
		}
		parsed, err := parseTemplate(text)
		if err != nil {
			return
		}
		want := 0
		for _, p := range parsed {
			want += len(p.Text)
			if p.Place != nil {
				want += len(value)
			}
		}
		if got := parsed.fill(func(place) string { return value }); len(got) != want || len(parsed.places()) > 0 && !strings.Contains(got, value) {
			t.Errorf("%q filled in as %q", text, got)
		}
	})
}

// FuzzBind sends arbitrary parameters and checks what every bound trigger
// promises.
func FuzzBind(f *testing.F) {
	for _, seed := range []string{
		`{"need":"x"}`, `{"need":"x","text":"ok","number":"1e3","flag":"true","choice":"one","key":"secret1"}`,
		`{"need":"-x","text":"a\nb","number":1e400}`, `{"need":"{{params.text}}","__proto__":{}}`, `{"need":null,"whole":-0.0}`, `[]`, `{"need":"\u202e"}`,
	} {
		f.Add("berlin", seed)
	}
	c, err := Parse("/x/telltale.yaml", []byte(`
actions:
  a:
    targets: {berlin: {url: x}}
    params:
      text: {pattern: "[a-z]*", default: hello}
      need: {required: true, min: 1, max: 100}
      number: {type: number, min: -2, max: 1e6}
      whole: {type: number, integer: true}
      flag: {type: boolean}
      choice: {type: select, options: [one, two]}
      key: {type: secret, min: 6}
    command: {argv: [echo, "{{params.need}}"]}
`))
	if err != nil {
		f.Fatal(err)
	}
	a := c.actions[0]
	f.Fuzz(func(t *testing.T, target, body string) {
		var params map[string]any
		if json.Unmarshal([]byte(body), &params) != nil {
			return
		}
		b, err := a.Bind(target, params, nil)
		if err != nil {
			if message := err.Error(); len(message) > 16<<10 || !utf8.ValidString(message) {
				t.Errorf("error of %d bytes", len(message))
			}
			return
		}
		encoded, err := json.Marshal(b.Public)
		if err != nil || len(encoded) > maxValues {
			t.Errorf("public takes %d bytes, %v", len(encoded), err)
		}
		for name, value := range b.Public {
			if text, ok := value.(string); ok && (!utf8.ValidString(text) || strings.HasPrefix(text, "-") || strings.ContainsAny(text, "\x00\n\r\x1b")) {
				t.Errorf("%s = %q", name, text)
			}
			if p := a.param(name); p == nil || p.Type == SecretParam {
				t.Errorf("%s is public", name)
			}
		}
		if got := b.Fill(a.Command.Argv[1]); got != b.Public["need"] {
			t.Errorf("filled %q", got)
		}
		again, err := a.Bind(target, b.Public, nil)
		if err != nil || again.Fill("{{params.need}}|{{params.number}}") != b.Fill("{{params.need}}|{{params.number}}") {
			t.Errorf("what was bound does not bind again: %v", err)
		}
	})
}

// FuzzLoad reads arbitrary files: it must end, and everything it accepts must
// be complete.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/catalog/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("/x/telltale.yaml", data)
		if err != nil {
			if c != nil {
				t.Error("a catalog beside an error")
			}
			return
		}
		for _, a := range c.Actions() {
			kinds := 0
			for _, set := range []bool{a.Command != nil, a.Git != nil, a.API != nil} {
				if set {
					kinds++
				}
			}
			if kinds != 1 || !slugs.allowed(a.ID) || a.Title == "" || a.Timeout <= 0 || a.Attempts < 1 {
				t.Errorf("incomplete: %+v", a)
			}
			if a.Git != nil && (!filepath.IsAbs(a.Git.Repository) || strings.Contains(a.Git.Remote, "params")) && !strings.Contains(a.Git.Remote, "{{{{") {
				t.Errorf("git: %+v", a.Git)
			}
		}
	})
}

// param finds a parameter.
func (a *Action) param(name string) *Param {
	for i := range a.Params {
		if a.Params[i].Name == name {
			return &a.Params[i]
		}
	}
	return nil
}
