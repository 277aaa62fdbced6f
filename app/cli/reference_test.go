package cli

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"telltale/app"
)

var update = flag.Bool("update", false, "write the reference instead of comparing it")

// The page is made from the commands themselves, so that it cannot be wrong.
func TestTheReferenceSaysWhatTheCommandsSay(t *testing.T) {
	const file = "../../docs/reference/cli.md"
	t.Setenv("XDG_STATE_HOME", "/home/you/.local/state")
	for _, set := range app.Settings() {
		t.Setenv(set.Env, set.Default) // or what the developer has set would be in the page
	}
	got := reference()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s is stale; run go test ./app/cli -update (-file +code):\n%s", file, d)
	}
}

func reference() string {
	var b bytes.Buffer
	root := (&shell{}).root()
	fmt.Fprintf(&b, "# The command line\n\nGenerated from the commands by `go test ./app/cli -update`.\n\n%s\n\n", root.Long)
	b.WriteString("`telltale [--config FILE] [--data DIR] [--server URL] COMMAND`\n\n## Settings\n\n")
	b.WriteString("A flag goes before the environment variable, and that before the default.\n\n| flag | variable | default | what it is |\n|---|---|---|---|\n")
	for _, set := range app.Settings() {
		fmt.Fprintf(&b, "| `--%s` | `%s` | %s | %s |\n", set.Flag, set.Env, quoted(strings.Replace(set.Default, "/home/you", "~", 1)), set.Doc)
	}
	b.WriteString("\nColours are left out when the output is no terminal, when `TERM` is `dumb`, and when `NO_COLOR` is set.\n\n## Exit codes\n\n| code | meaning |\n|---|---|\n")
	for _, line := range codes() {
		code, meaning, _ := strings.Cut(line, ": ")
		fmt.Fprintf(&b, "| %s | %s |\n", code, meaning)
	}
	b.WriteString("\n## Commands\n")
	for _, c := range root.Commands() {
		if c.Name() != "help" && c.Name() != "completion" {
			describeCommand(&b, c)
		}
	}
	b.WriteString("\n### completion\n\n`telltale completion bash|zsh|fish|powershell` prints a script that completes commands, actions and targets; `telltale completion bash --help` says where to put it.\n")
	return b.String()
}

func describeCommand(b *bytes.Buffer, c *cobra.Command) {
	fmt.Fprintf(b, "\n### %s\n\n`%s`\n\n", c.Name(), strings.TrimSuffix(c.UseLine(), " [flags]"))
	long, _, _ := strings.Cut(c.Long, "\nThe exit code says")
	if long == "" {
		long = c.Short + "."
	}
	b.WriteString(strings.TrimSpace(long) + "\n")
	head := "\n| flag | default | what it does |\n|---|---|---|\n"
	c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		name := "`--" + f.Name + "`"
		if f.Shorthand != "" {
			name = "`-" + f.Shorthand + "`, " + name
		}
		def := f.DefValue
		if def == "false" || def == "[]" {
			def = ""
		}
		fmt.Fprintf(b, "%s| %s | %s | %s |\n", head, name, quoted(def), f.Usage)
		head = ""
	})
	if c.Example != "" {
		fmt.Fprintf(b, "\n```\n%s\n```\n", strings.ReplaceAll(c.Example, "\n  ", "\n")[2:])
	}
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}
