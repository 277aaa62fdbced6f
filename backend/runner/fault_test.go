package runner

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"telltale/backend/action"
	"telltale/backend/job"
)

func TestR47_AnyBytesBecomeText(t *testing.T) {
	t.Parallel()
	b := setup(t).script(`printf '\357\273\277bom\r\nbad \377\376 nul\000 half \342\202\n\342'; printf '\202\254 whole\nend \342\202'`)
	if o := b.run(); o.State != job.Succeeded {
		t.Fatalf("%+v", o)
	}
	if want := "bom\nbad \ufffd\ufffd nul half \ufffd\ufffd\n€ whole\nend \ufffd\ufffd\n"; b.text() != want {
		t.Errorf("log %q, want %q", b.text(), want)
	}
}

func TestR48_TerminalSequencesBecomeInertText(t *testing.T) {
	t.Parallel()
	b := setup(t).script(`printf '\033[2J\033]0;title\007\033]8;;javascript:alert(1)\033\\link\033]8;;\033\\ \033]52;c;c2VjcmV0\007\033Pq#0~~\033\\\033[31mred\033[0m\n'
printf '\033['; head -c 1000000 /dev/zero | tr '\0' 1; printf 'mhuge\nhalf \033['`)
	if o := b.run(); o.State != job.Succeeded {
		t.Fatalf("%+v", o)
	}
	if want := "link \x1b[31mred\x1b[0m\nhuge\nhalf \n"; b.text() != want {
		t.Errorf("log %q, want %q", b.text(), want)
	}
}

func TestR49_SecretsAreMaskedInEveryForm(t *testing.T) {
	t.Parallel()
	const secret = "hunter2/very+secret=42"
	b := setup(t)
	b.secrets = secrets{"TOKEN": secret}
	b.action.Command.Secrets = map[string]string{"THE_TOKEN": "TOKEN"}
	b.script(`echo "plain $THE_TOKEN"; printf %s "$THE_TOKEN" | base64
printf 'split %s' "${THE_TOKEN%%very*}"; sleep 0.05; echo "very${THE_TOKEN#*very}"
echo "::add-mask::another-secret"; echo "said another-secret"
echo "::phase::with $THE_TOKEN"; echo "::summary::sum $THE_TOKEN"; echo "::hint::hint $THE_TOKEN"; echo "::warning::warn $THE_TOKEN"; echo "::warning::%68unter2/very+secret=42"
echo "url ` + url.QueryEscape(secret) + `"; echo "json {\"t\":\"$THE_TOKEN\"}"; echo "::error::err $THE_TOKEN"; exit 1`)
	o := b.run()
	if o.State != job.Failed || o.Error.Message != "err ***" || o.Error.Hint != "hint ***" || o.Summary != "sum ***" {
		t.Errorf("%+v %+v", o, o.Error)
	}
	everything := fmt.Sprint(b.text(), b.phases, o.Summary, o.Error.Message, b.warnings)
	for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), url.QueryEscape(secret), "another-secret"} {
		if strings.Contains(everything, form) {
			t.Errorf("%q is shown:\n%s", form, everything)
		}
	}
	if !strings.Contains(b.text(), "plain ***\n***\nsplit ***\n") {
		t.Errorf("log:\n%s", b.text())
	}
}

func TestR50_SecretsInArgvErrorsAndEnvironmentDumpsAreMasked(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-very-secret"
	b := setup(t, "env", "/no/such/{{params.key}}")
	b.action.Params = []action.Param{{Name: "key", Type: action.SecretParam}}
	b.params = map[string]any{"key": secret}
	o := b.run()
	if o.State != job.Failed || strings.Contains(b.text()+o.Error.Message+o.Summary, secret) || !strings.Contains(b.text(), "/no/such/***") {
		t.Errorf("%+v %+v\n%s", o, o.Error, b.text())
	}
	b = setup(t).script("env")
	b.action.Params = []action.Param{{Name: "key", Type: action.SecretParam}}
	b.params = map[string]any{"key": secret}
	if b.run(); !strings.Contains(b.text(), "PARAM_KEY=***\n") {
		t.Errorf("log:\n%s", b.text())
	}
}

func TestR51_EndBySignalIsNamed(t *testing.T) {
	t.Parallel()
	for sig, want := range map[string]string{"KILL": "signal 9 (SIGKILL)", "SEGV": "signal 11 (SIGSEGV)", "TERM": "signal 15 (SIGTERM)"} {
		b := setup(t).script("kill -" + sig + " $$; sleep 3600")
		o := b.run()
		if o.State != job.Failed || o.Error.Code != "signal" || !strings.Contains(o.Error.Message, want) || o.Error.Hint == "" {
			t.Errorf("%s: %+v %+v", sig, o, o.Error)
		}
	}
}

func TestR52_ReplacedOrRemovedProgramIsSaid(t *testing.T) {
	t.Parallel()
	for _, what := range []string{`rm "$0"`, `echo '#!/bin/sh' >"$0.new"; chmod +x "$0.new"; mv "$0.new" "$0"`} {
		b := setup(t)
		program := filepath.Join(t.TempDir(), "program")
		if err := os.WriteFile(program, []byte("#!/bin/sh\n"+what+"\nexit 3\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		b.action.Command.Argv = []string{program}
		o := b.run()
		if o.State != job.Failed || !strings.Contains(o.Error.Hint, "replaced or removed while it ran") || !strings.Contains(b.text(), program) {
			t.Errorf("%s: %+v %+v\n%s", what, o, o.Error, b.text())
		}
	}
}

func TestR53_RemovedOrSwappedDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, "pwd")
	base := t.TempDir()
	dir, link, other := filepath.Join(base, "dir"), filepath.Join(base, "link"), filepath.Join(base, "other")
	for _, d := range []string{dir, other} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	b.action.Command.Dir = link
	if o := b.run(); o.State != job.Succeeded {
		t.Fatalf("a link that stays: %+v %+v", o, o.Error)
	}
	refused := func(what string) {
		t.Helper()
		if o := b.run(); o.State != job.Failed || o.Error.Code != "spawn" || o.Error.Hint == "" {
			t.Errorf("%s: %+v %+v", what, o, o.Error)
		}
	}
	if os.Remove(link) != nil || os.Symlink(other, link) != nil {
		t.Fatal("the link could not be swapped")
	}
	refused("a swapped link")
	again := *b.action
	b.action = &again
	if o := b.run(); o.State != job.Succeeded {
		t.Errorf("after loading the catalog again: %+v %+v", o, o.Error)
	}
	if err := os.RemoveAll(other); err != nil {
		t.Fatal(err)
	}
	refused("a removed directory")
	b.action.Command.Dir = os.Args[0]
	refused("a file")
}

func TestProgramsThatCannotBeStartedAreToldApart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for argv, want := range map[string]string{
		"no-such-program":                            "was not found",
		filepath.Join(dir, "missing"):                "does not exist",
		write("plain", "x", 0o600):                   "is not executable",
		write("script", "#!/no/such/shell\n", 0o700): "something it needs does not exist",
		write("noise", "\x7fELFnoise", 0o700):        "is not a program for this machine",
		dir:                                          "is a directory",
		"":                                           "its name is empty",
	} {
		b := setup(t, argv)
		o := b.run()
		if o.State != job.Failed || o.Error.Code != "spawn" || o.Error.Hint == "" || !strings.Contains(o.Error.Message, want) {
			t.Errorf("%q: %+v %+v", argv, o, o.Error)
		}
	}
	long := setup(t, "echo", strings.Repeat("x", 200_000))
	if o := long.run(); o.Error == nil || !strings.Contains(o.Error.Message, "too long") {
		t.Errorf("%+v", o.Error)
	}
	nul := setup(t, "echo", "a\x00b")
	if o := nul.run(); o.Error == nil || !strings.Contains(o.Error.Message, "NUL") {
		t.Errorf("%+v", o.Error)
	}
}

// hostile is a parameter full of shell syntax.
const hostile = "; id `id` $(id) | id && id > x < y * ? ~ # ' \" \\ ! {a,b} %PATH% ^& $HOME ${IFS}"

func TestR55_ShellSyntaxInAParameterIsLiteral(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]*bench{
		"argv":             setup(t, self("say", "<{{params.text}}>")...),
		"shell":            setup(t).script(`printf '<%s>\n' "$PARAM_TEXT"`),
		"target in shell":  setup(t).script(`printf '<%s>\n' "$TARGET_WORDS"`),
		"environment":      setup(t).script(`printf '<%s>\n' "$GREETING"`),
		"target in argv":   setup(t, self("say", "<{{target.words}}>")...),
		"unquoted in test": setup(t).script(`test "$PARAM_TEXT" = "$TARGET_WORDS" && printf '<%s>\n' "$PARAM_TEXT"`),
	} {
		b.action.Params = []action.Param{{Name: "text", Type: action.TextParam}}
		b.action.Targets = []action.Target{{ID: "one", Values: map[string]string{"words": hostile}}}
		b.target = "one"
		b.params = map[string]any{"text": hostile}
		b.action.Command.Env = map[string]string{"GREETING": "{{params.text}}"}
		if o := b.run(); o.State != job.Succeeded || b.text() != "<"+hostile+">\n" {
			t.Errorf("%s: %+v, log %q", name, o, b.text())
		}
	}
}

func TestR60_TheServersOwnEnvironmentDoesNotReachACommand(t *testing.T) {
	t.Parallel()
	b := setup(t, "env")
	b.runners = New(Options{Environ: []string{
		"PATH=/usr/bin:/bin:relative:.", "HOME=/home/ada", "USER=ada", "TZ=Europe/Berlin",
		"TELLTALE_TOKEN=server-token", "AWS_SECRET_ACCESS_KEY=x", "LD_PRELOAD=/x.so", "WANTED=yes", "TELLTALE_JOB=other",
	}})
	b.action.Command.PassEnv = []string{"WANTED", "NOT_SET"}
	b.action.Command.Env = map[string]string{"MINE": "1", "HOME": "/elsewhere"}
	if o := b.run(); o.State != job.Succeeded {
		t.Fatalf("%+v", o)
	}
	got := strings.Split(strings.TrimSpace(b.text()), "\n")
	slices.Sort(got)
	want := []string{
		"HOME=/elsewhere", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "MINE=1", "PATH=/usr/bin:/bin", "PYTHONUNBUFFERED=1",
		"TELLTALE_ATTEMPT=1", "TELLTALE_JOB=" + string(b.id), "TERM=dumb", "TZ=Europe/Berlin", "USER=ada", "WANTED=yes",
	}
	if !slices.Equal(got, want) {
		t.Errorf("environment\n%q, want\n%q", got, want)
	}
}

func TestACommandCannotAskAnybody(t *testing.T) {
	t.Parallel()
	b := setup(t).script(`read x && echo "read $x"; if (exec </dev/tty) 2>/dev/null; then echo terminal; else echo none; fi`)
	if b.run(); b.text() != "none\n" {
		t.Errorf("log %q", b.text())
	}
}

func TestAMissingSecretIsSaidBeforeTheStart(t *testing.T) {
	t.Parallel()
	b := setup(t, "touch", "proof")
	b.action.Command.Secrets = map[string]string{"TOKEN": "DEPLOY_TOKEN"}
	if o := b.run(); o.Error == nil || !strings.Contains(o.Error.Message, "DEPLOY_TOKEN") || o.Error.Hint == "" {
		t.Errorf("%+v", o.Error)
	}
	if _, err := os.Stat(filepath.Join(b.action.Command.Dir, "proof")); err == nil {
		t.Error("it was started without its secret")
	}
}

func TestR71_BatchFilesAreRefusedOnWindows(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{`C:\x.bat`: true, `C:\x.CMD`: true, `C:\x.exe`: false, "/bin/x.sh": false} {
		if batchFile("windows", path) != want || batchFile("linux", path) {
			t.Errorf("%s", path)
		}
	}
}

func TestR72_ManyCommandsAtOnceDoNotMix(t *testing.T) {
	t.Parallel()
	shared := setup(t, self("say", "{{params.n}}", "{{target.id}}")...)
	shared.action.Params = []action.Param{{Name: "n", Type: action.TextParam}}
	for i := range 10 {
		shared.action.Targets = append(shared.action.Targets, action.Target{ID: "t" + strconv.Itoa(i), Values: map[string]string{}})
	}
	script := setup(t).script(`echo "$PARAM_N"; echo "$TARGET_ID"`)
	script.action.Params, script.action.Targets = shared.action.Params, shared.action.Targets
	script.runners = shared.runners
	var wg sync.WaitGroup
	turns := make(chan struct{}, 32)
	for i := range 500 {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			b := *shared
			if i%2 == 0 {
				b = *script
			}
			b.watch, b.id = newWatch(), setup(t).id
			b.params, b.target = map[string]any{"n": "value " + strconv.Itoa(i)}, "t"+strconv.Itoa(i%10)
			if o := b.run(); o.State != job.Succeeded || b.text() != "value "+strconv.Itoa(i)+"\nt"+strconv.Itoa(i%10)+"\n" {
				t.Errorf("command %d: %+v, log %q", i, o, b.text())
			}
		})
	}
	wg.Wait()
}

func TestALineThatIsWrittenOverIsNotInTheLog(t *testing.T) {
	t.Parallel()
	b := setup(t).script(`printf '10%%\r20%%\r30%%\nlast\r\nkept\r\r\n90%%\r'`)
	if b.run(); b.text() != "30%\nlast\nkept\n90%\n" {
		t.Errorf("log %q", b.text())
	}
}

func TestAFaultInAReaderOfOutputDoesNotEndTheTask(t *testing.T) {
	t.Parallel()
	v := New(Options{}).voice(newWatch(), nil, faulty{})
	if n, err := v.writer(job.Stdout).Write([]byte("a\n")); n != 2 || err != nil || v.broken == nil {
		t.Errorf("%d, %v, %v", n, err, v.broken)
	}
	v.close()
}

func FuzzVoice(f *testing.F) {
	f.Add([]byte("a\r\n::warning::x\n\x1b[31m\xff"), []byte("{\"Action\":\"run\"}\n"), 3)
	runners := New(Options{})
	f.Fuzz(func(t *testing.T, out, err []byte, n int) {
		for _, h := range []hearing{&words{}, &goTest{}, newGitHearing(action.Push)} {
			w := newWatch()
			v := runners.voice(w, []string{"a secret"}, h)
			for _, p := range [][]byte{out, err} {
				m := min(max(n, 0), len(p))
				_, _ = v.writer(job.Stdout).Write(p[:m])
				_, _ = v.writer(job.Stderr).Write(p[m:])
			}
			v.close()
			if v.broken != nil {
				t.Fatal(v.broken)
			}
			for _, l := range w.lines {
				if !utf8.ValidString(l.Text) || strings.ContainsAny(l.Text, "\n\r\x00") {
					t.Errorf("line %q", l.Text)
				}
			}
		}
	})
}
