package cli

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"telltale/app"
)

// Streams are where the commands read and write.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// Run carries out the words typed after telltale and returns the code to exit
// with. Static is the built frontend.
func Run(words []string, s Streams, static fs.FS) int {
	sh := &shell{Streams: s, cfg: app.Config{Version: version(), Static: static}, secrets: map[string]string{}}
	root := sh.root()
	root.SetArgs(words)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	return tell(s.Err, root.ExecuteContext(context.Background()))
}

// shell is one call of telltale: its streams and what was set.
type shell struct {
	Streams
	cfg     app.Config
	secrets map[string]string // that were read from the input
}

func (s *shell) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "telltale",
		Short: "Starts what an admin starts, and tells the truth about how it goes",
		Long: `Telltale starts what an admin starts, shows a lamp that tells the truth while it
runs, and keeps the record. The commands talk to the server that runs on the
data folder, or do the work in this process when there is none.`,
		SilenceErrors: true, SilenceUsage: true, SuggestionsMinimumDistance: 2,
		Args: func(c *cobra.Command, words []string) error {
			if len(words) == 0 {
				return nil
			}
			return unknown(c, words[0])
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if !app.HasWindow {
				return c.Help()
			}
			return s.calm(c, func(ctx context.Context) error { return app.RunWindow(ctx, s.cfg) })
		},
	}
	for _, set := range app.Settings() {
		if set.Flag != "listen" {
			s.flag(root, set)
		}
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{err.Error(), "See " + c.CommandPath() + " --help."}
	})
	root.AddCommand(
		s.initCommand(), s.serveCommand(), s.runCommand(), s.jobsCommand(), s.statusCommand(), s.logsCommand(),
		s.cancelCommand(), s.retryCommand(), s.actionsCommand(), s.catalogCommand(), s.validateCommand(),
		s.windowCommand(), s.versionCommand(),
	)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return root
}

// flag makes a row of the table of settings a flag of a command.
func (s *shell) flag(c *cobra.Command, set app.Setting) {
	flags := c.PersistentFlags()
	flags.StringVar(set.Field(&s.cfg), set.Flag, set.Value(), fmt.Sprintf("%s [%s]", set.Doc, set.Env))
}

// calm runs fn with a context that ends at Ctrl-C or SIGTERM.
func (s *shell) calm(c *cobra.Command, fn func(context.Context) error) error {
	ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return fn(ctx)
}

// exactly asks for the arguments that a command's line of use names.
func exactly(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, words []string) error {
		if len(words) == len(names) {
			return nil
		}
		message := fmt.Sprintf("%s takes no words of its own, not %q", c.CommandPath(), strings.Join(words, " "))
		if len(names) > 0 {
			message = fmt.Sprintf("%s needs %s", c.CommandPath(), strings.Join(names, " and "))
		}
		return &usageError{message, "Use it as " + c.UseLine() + "."}
	}
}

func unknown(c *cobra.Command, word string) error {
	hint := "See telltale --help for the commands."
	if near := c.SuggestionsFor(word); len(near) > 0 {
		hint = "Did you mean telltale " + near[0] + "?"
	}
	return &usageError{fmt.Sprintf("there is no command %q", word), hint}
}

// version is what this binary was built from: a tag, or a commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, set := range info.Settings {
		if set.Key == "vcs.revision" && len(set.Value) >= 12 {
			return "devel-" + set.Value[:12]
		}
	}
	return "devel"
}
