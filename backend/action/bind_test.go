package action_test

import (
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/backend/action"
)

// stored is a place where secrets are kept.
type stored map[string]string

func (s stored) Secret(name string) (string, bool) {
	value, ok := s[name]
	return value, ok
}

// catalog reads a catalog of one action, called a.
func catalog(tb testing.TB, text string) *action.Action {
	tb.Helper()
	c, err := action.Parse(filepath.Join(tb.TempDir(), "telltale.yaml"), []byte("actions:\n  a:\n"+indent(text)))
	if err != nil {
		tb.Fatal(err)
	}
	a, ok := c.Action("a")
	if !ok {
		tb.Fatal("no action a")
	}
	return a
}

// indent moves text into the action.
func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ") + "\n"
}

// faults is the fields of a BindError with their messages.
func faults(tb testing.TB, err error) map[string]string {
	tb.Helper()
	var bad *action.BindError
	if !errors.As(err, &bad) {
		tb.Fatalf("error %v, want *BindError", err)
	}
	said := map[string]string{}
	for _, f := range bad.Fields {
		said[f.Field] = f.Message
	}
	return said
}

const everyType = `
params:
  text: {pattern: "[a-z ]*é?", min: 2, max: 10, default: hello}
  need: {required: true}
  free: {}
  number: {type: number, min: -2, max: 9.5}
  whole: {type: number, integer: true, default: 3}
  flag: {type: boolean}
  choice: {type: select, options: [one, two]}
  key: {type: secret, min: 6}
command: {argv: [echo, "{{params.text}}|{{params.need}}|{{params.free}}|{{params.number}}|{{params.whole}}|{{params.flag}}|{{params.choice}}"], secrets: {A: STORED, B: ABSENT}}
`

func TestBindTakesJSONValuesAndTheirTextAndFillsInDefaults(t *testing.T) {
	t.Parallel()
	a := catalog(t, everyType)
	for name, test := range map[string]struct {
		given, want map[string]any
		filled      string
	}{
		"least": {
			map[string]any{"need": "x"},
			map[string]any{"text": "hello", "need": "x", "whole": 3.0, "flag": false},
			"hello|x|||3|false|",
		},
		"json": {
			map[string]any{"need": "x", "number": 9.5, "whole": 4.0, "flag": true, "choice": "two", "text": nil},
			map[string]any{"text": "hello", "need": "x", "number": 9.5, "whole": 4.0, "flag": true, "choice": "two"},
			"hello|x||9.5|4|true|two",
		},
		"text": {
			map[string]any{"need": "x", "number": "-1.5e0", "whole": "-0", "flag": "true", "choice": ""},
			map[string]any{"text": "hello", "need": "x", "number": -1.5, "whole": 0.0, "flag": true},
			"hello|x||-1.5|0|true|",
		},
		"composed": { // e + U+0301 is recorded as é
			map[string]any{"need": "x", "text": "caf" + "e\u0301"},
			map[string]any{"text": "café", "need": "x", "whole": 3.0, "flag": false},
			"café|x|||3|false|",
		},
		"literal": { // what looks like a template is text
			map[string]any{"need": "{{params.text}}", "free": "{{{{ }} {{target.id}}"},
			map[string]any{"text": "hello", "need": "{{params.text}}", "free": "{{{{ }} {{target.id}}", "whole": 3.0, "flag": false},
			"hello|{{params.text}}|{{{{ }} {{target.id}}||3|false|",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := a.Bind("", test.given, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, b.Public); diff != "" {
				t.Errorf("public (-want +got):\n%s", diff)
			}
			if got := b.Fill(a.Command.Argv[1]); got != test.filled {
				t.Errorf("filled %q, want %q", got, test.filled)
			}
			if whole, _ := b.Public["whole"].(float64); math.Signbit(whole) && whole == 0 {
				t.Error("recorded -0")
			}
		})
	}
}

func TestBindSaysEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	a := catalog(t, everyType)
	_, err := a.Bind("berlin", map[string]any{
		"text": "NO", "need": "", "free": 3.0, "number": 10.0, "whole": 1.5, "flag": "yes", "choice": "three", "key": "short",
		"txet": "x",
	}, nil)
	want := map[string]string{
		"target": "This action has no targets; leave the target out.",
		"text":   "This does not match the pattern [a-z ]*é?.",
		"need":   "A value is required.",
		"free":   "This must be text.",
		"number": "This must be at most 9.5.",
		"whole":  "This must be a whole number.",
		"flag":   "This must be true or false.",
		"choice": "Choose one or two.",
		"key":    "This must have at least 6 characters.",
		"txet":   `There is no parameter "txet"; did you mean "text"?`,
	}
	if diff := cmp.Diff(want, faults(t, err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBindRefusesWrongTypes(t *testing.T) {
	t.Parallel()
	a := catalog(t, everyType)
	for _, value := range []any{
		math.NaN(), math.Inf(1), "0x10", "1_000", "Inf", "1e999", "1,5", " 1", "1 ", true, []any{1.0}, map[string]any{"a": 1.0}, int64(3),
	} {
		_, err := a.Bind("", map[string]any{"need": "x", "number": value}, nil)
		if faults(t, err)["number"] != "This must be a number." {
			t.Errorf("number %v: %v", value, err)
		}
	}
	for _, value := range []any{1.0, "TRUE", "1", "yes", []any{}} {
		_, err := a.Bind("", map[string]any{"need": "x", "flag": value}, nil)
		if faults(t, err)["flag"] == "" {
			t.Errorf("flag %v was taken", value)
		}
	}
}

func TestBindKnowsTargets(t *testing.T) {
	t.Parallel()
	a := catalog(t, "targets: {berlin: {title: Berlin, url: x}, oslo: {url: y}}\ncommand: {argv: [echo, '{{target.id}} {{target.title}} {{target.url}}']}")
	b, err := a.Bind("berlin", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Fill(a.Command.Argv[1]); got != "berlin Berlin x" {
		t.Errorf("filled %q", got)
	}
	for target, want := range map[string]string{
		"":     "Choose a target: berlin or oslo.",
		"olso": `There is no target "olso"; did you mean "oslo"?`,
		"../x": `There is no target "../x"; choose berlin or oslo.`,
	} {
		_, err := a.Bind(target, nil, nil)
		if got := faults(t, err)["target"]; got != want {
			t.Errorf("target %q: %q, want %q", target, got, want)
		}
	}
}

func TestSecretsAreHandedOverAndNeverPublic(t *testing.T) {
	t.Parallel()
	a := catalog(t, everyType)
	b, err := a.Bind("", map[string]any{"need": "x", "key": "-hunter2 "}, stored{"STORED": "kept-secret", "OTHER": "not named"})
	if err != nil {
		t.Fatal(err)
	}
	if _, shown := b.Public["key"]; shown || b.Secret("key") != "-hunter2 " || !b.GivenSecrets() {
		t.Errorf("public %v, key %q", b.Public, b.Secret("key"))
	}
	if got := slices.Sorted(slices.Values(b.SecretValues())); !slices.Equal(got, []string{"-hunter2 ", "kept-secret"}) {
		t.Errorf("secret values %q", got)
	}
	if v, ok := b.Lookup("STORED"); !ok || v != "kept-secret" {
		t.Errorf("STORED = %q, %v", v, ok)
	}
	for _, name := range []string{"ABSENT", "OTHER"} {
		if v, ok := b.Lookup(name); ok {
			t.Errorf("%s = %q", name, v)
		}
	}
	if b, err = a.Bind("", map[string]any{"need": "x", "key": ""}, nil); err != nil || b.GivenSecrets() {
		t.Errorf("empty secret: %v, %v", b.GivenSecrets(), err)
	}
	_, err = a.Bind("", map[string]any{"need": "x", "key": "hunter2\nx"}, nil)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error tells the secret: %v", err)
	}
}

func TestParametersFitTheRecord(t *testing.T) {
	t.Parallel()
	a := catalog(t, "params: {a: {}, b: {}, c: {}}\ncommand: {argv: [x]}")
	for name, given := range map[string]map[string]any{
		"one value":   {"a": strings.Repeat("x", 4097)},
		"all values":  {"a": strings.Repeat("x", 4000), "b": strings.Repeat("x", 4000), "c": strings.Repeat("x", 4000)},
		"as recorded": {"a": strings.Repeat("<", 2000)}, // six bytes each in JSON
		"normal form": {"a": strings.Repeat("\u0958", 1300)},
	} {
		if _, err := a.Bind("", given, nil); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	many := map[string]any{}
	for i := range 10_000 {
		many[strings.Repeat("n", i%1000+1)+string(rune('a'+i%26))] = "x"
	}
	_, err := a.Bind("", many, nil)
	if n := len(slices.Collect(maps.Keys(faults(t, err)))); n > 50 {
		t.Errorf("%d faults listed", n)
	}
}

// TestR54_PathParameterStaysInItsFolder covers .., absolute paths, drives, UNC
// and symbolic links.
func TestR54_PathParameterStaysInItsFolder(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, dir := range []string{"reports/sub", "other"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"out": "../other", "etc": "/etc", "in": "sub"} {
		if err := os.Symlink(to, filepath.Join(root, "reports", name)); err != nil {
			t.Fatal(err)
		}
	}
	c, err := action.Parse(filepath.Join(root, "telltale.yaml"), []byte("actions: {a: {params: {file: {under: ./reports}}, command: {argv: [cat, '{{params.file}}']}}}"))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := c.Action("a")
	for _, path := range []string{
		"../other", "sub/../../other", "/etc/passwd", "..", "//host/share", `C:\x`, "C:x", `\\host\share`, `..\x`, "out/x", "out", "etc/passwd",
		"./sub", "sub//x", "sub/", "sub/..",
	} {
		if _, err := a.Bind("", map[string]any{"file": path}, nil); err == nil {
			t.Errorf("%q was taken", path)
		}
	}
	for _, path := range []string{"sub", "sub/new.txt", "in/new.txt", "...", "a..b"} {
		if _, err := a.Bind("", map[string]any{"file": path}, nil); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestR55_ShellSyntaxStaysLiteral(t *testing.T) {
	t.Parallel()
	a := catalog(t, "params: {x: {}}\ncommand: {argv: [echo, '{{params.x}}', 'a={{params.x}}'], env: {X: '{{params.x}}'}}")
	for _, value := range []string{"; id", "$(id)", "`id`", "| id", "%PATH%", "^&", "&& id", "'; id #", `"; id "`, "{{params.x}}", "$IFS", "*", "~"} {
		b, err := a.Bind("", map[string]any{"x": value}, nil)
		if err != nil {
			t.Errorf("%q: %v", value, err)
			continue
		}
		if got := []string{b.Fill(a.Command.Argv[1]), b.Fill(a.Command.Argv[2]), b.Fill(a.Command.Env["X"])}; !slices.Equal(got, []string{value, "a=" + value, value}) {
			t.Errorf("%q became %q", value, got)
		}
	}
	for _, value := range []string{"a\nid", "a\rid", "a\x00id", "a\x1bid", "a\u0085id", "a\u2028id", "a\u202eid", "\xff"} {
		if _, err := a.Bind("", map[string]any{"x": value}, nil); err == nil {
			t.Errorf("%q was taken", value)
		}
	}
}

func TestR56_OptionsAreNotValues(t *testing.T) {
	t.Parallel()
	a := catalog(t, "params: {x: {}, dash: {allow_dash: true}}\ncommand: {argv: [git, '{{params.x}}{{params.dash}}']}")
	for _, value := range []string{"--upload-pack=id", "-oProxyCommand=id", "--output=/etc/x", "-e", "-", "--"} {
		_, err := a.Bind("", map[string]any{"x": value}, nil)
		if faults(t, err)["x"] == "" {
			t.Errorf("%q was taken", value)
		}
		if _, err := a.Bind("", map[string]any{"dash": value}, nil); err != nil {
			t.Errorf("%q with allow_dash: %v", value, err)
		}
	}
}

func TestR57_PatternMatchesTheWholeValue(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"^ok$", "(?m)^ok$", "ok|^ok", "(?s)ok", "ok"} {
		a := catalog(t, "params: {x: {pattern: '"+pattern+"'}}\ncommand: {argv: [echo, '{{params.x}}']}")
		for _, value := range []string{"ok\n; id", "; id\nok", "ok\n", "ok id", "xok", "o"} {
			_, err := a.Bind("", map[string]any{"x": value}, nil)
			if faults(t, err)["x"] == "" {
				t.Errorf("%s took %q", pattern, value)
			}
		}
		if _, err := a.Bind("", map[string]any{"x": "ok"}, nil); err != nil {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

func TestR58_UnknownAndReservedNamesAreRefused(t *testing.T) {
	t.Parallel()
	a := catalog(t, "params: {x: {}}\ncommand: {argv: [echo]}")
	for name, want := range map[string]string{
		"y":            `There is no parameter "y"; did you mean "x"?`,
		"telltale_job": "This name is reserved and cannot be a parameter.",
		"__proto__":    "This name is reserved and cannot be a parameter.",
		"constructor":  "This name is reserved and cannot be a parameter.",
		"PARAM_X":      `There is no parameter "PARAM_X"; choose x.`,
		"X":            `There is no parameter "X"; did you mean "x"?`,
	} {
		_, err := a.Bind("", map[string]any{name: nil}, nil)
		if got := faults(t, err)[name]; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
