package cli

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"telltale/backend/action"
	"telltale/backend/api"
	"telltale/backend/job"
)

// runOptions are the flags of run and retry.
type runOptions struct {
	target   string
	params   []string
	noFollow bool
	asJSON   bool
	key      string // made once, so that trying again cannot start twice
}

func (o *runOptions) flags(c *cobra.Command) {
	c.Flags().BoolVar(&o.noFollow, "no-follow", false, "return once the job is accepted, and print it")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print the job as JSON")
}

func (s *shell) runCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run ACTION",
		Short: "Start an action and follow it to its end",
		Long: `Starts an action and follows the job to its end. When the same action and
target already runs, its on_busy decides; with "join" you follow that job.

On a terminal one line shows the job live; elsewhere each change is a line on
the error stream. The outcome goes to the output. Ctrl-C asks for the job to be
stopped and waits for that; a second Ctrl-C leaves it to the server. A job that
somebody else started is only left, never stopped.

The exit code says how the job ended:
  ` + strings.Join(codes(), "\n  "),
		Example: `  telltale run push --target berlin
  telltale run dedalus-test -p key=-          # asks for the secret
  telltale run tests --json | jq .summary`,
		Args:              exactly("ACTION"),
		ValidArgsFunction: s.completeActions,
		RunE: func(c *cobra.Command, words []string) error {
			o.key = rand.Text()
			return s.with(c.Context(), func(to session) error { return s.run(c.Context(), to, words[0], o) })
		},
	}
	c.Flags().StringVar(&o.target, "target", "", "what the action acts on")
	c.Flags().StringArrayVarP(&o.params, "param", "p", nil,
		"a parameter as name=value, may be repeated; a secret as name=- is read from the input")
	o.flags(c)
	must(c.RegisterFlagCompletionFunc("target", s.completeTargets))
	return c
}

func (s *shell) run(ctx context.Context, to session, id string, o runOptions) error {
	all, err := to.Actions(ctx)
	if err != nil {
		return err
	}
	known, err := paramsOf(all, id)
	if err != nil {
		return err
	}
	params, err := s.values(o.params, known)
	if err != nil {
		return err
	}
	e, started, err := to.Trigger(ctx, api.Trigger{Action: id, Target: o.target, Params: params, Via: job.ViaCLI, Key: o.key})
	if err != nil {
		return err
	}
	return s.accepted(ctx, to, e, started, o)
}

// accepted goes on with a job that was started or joined.
func (s *shell) accepted(ctx context.Context, to session, e job.Event, started bool, o runOptions) error {
	*to.begun = true // with --no-follow as well
	if !started && !e.Job.State.Final() {
		fmt.Fprintf(s.Err, "%s already runs, started by %s; this is that job.\n", name(e.Job), plainText(e.Job.Trigger.By))
	}
	switch {
	case !o.noFollow:
		return s.follow(ctx, to, e, started, o.asJSON)
	case o.asJSON:
		fmt.Fprintf(s.Out, "%s\n", e.Data)
	default:
		p := painter(s.Out)
		fmt.Fprintf(s.Out, "%s %s  %s  %s\n", p.state(e.Job.State, mark(e.Job.State)), p.bold(name(e.Job)), e.Job.State, e.Job.ID)
	}
	return nil
}

func (s *shell) retryCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "retry JOB",
		Short: "Run again what an ended job ran, as a new job",
		Long:  "Runs again what an ended job ran, as a new job that names the old one, and\nfollows it as telltale run does.",
		Args:  exactly("JOB"),
		RunE: func(c *cobra.Command, words []string) error {
			id, err := parseID(words[0])
			if err != nil {
				return err
			}
			o.key = rand.Text()
			return s.with(c.Context(), func(to session) error {
				e, started, err := to.Retry(c.Context(), id, o.key)
				if err != nil {
					return err
				}
				return s.accepted(c.Context(), to, e, started, o)
			})
		},
	}
	o.flags(c)
	return c
}

func parseID(word string) (job.ID, error) {
	id, err := job.ParseID(word)
	if err != nil {
		return "", &usageError{err.Error(), "telltale jobs lists the jobs with their ids."}
	}
	return id, nil
}

func paramsOf(all api.Actions, id string) ([]api.ParamView, error) {
	var ids []string
	for _, a := range all.Actions {
		if a.ID == id {
			return a.Params, nil
		}
		ids = append(ids, a.ID)
	}
	return nil, &usageError{fmt.Sprintf("there is no action %q", id), "There are: " + strings.Join(ids, ", ") + "."}
}

// values gives each name=value the type its parameter has. What is no
// parameter goes as text: the server knows better what to say about it.
func (s *shell) values(words []string, known []api.ParamView) (map[string]any, error) {
	values := map[string]any{}
	for _, word := range words {
		key, text, found := strings.Cut(word, "=")
		if !found || key == "" {
			return nil, &usageError{fmt.Sprintf("parameter %q is not name=value", word), "Write it as -p name=value."}
		}
		if _, twice := values[key]; twice {
			return nil, &usageError{fmt.Sprintf("parameter %s is given twice", key), "Give it once."}
		}
		v, err := s.value(key, text, known)
		if err != nil {
			return nil, err
		}
		values[key] = v
	}
	return values, nil
}

func (s *shell) value(key, text string, known []api.ParamView) (any, error) {
	for _, p := range known {
		if p.Name != key {
			continue
		}
		switch action.ParamType(p.Type) {
		case action.NumberParam:
			if n, err := strconv.ParseFloat(text, 64); err == nil {
				return n, nil
			}
			return nil, &usageError{fmt.Sprintf("parameter %s: %q is not a number", key, text), "Write it as -p " + key + "=12.5."}
		case action.BooleanParam:
			if text == "true" || text == "false" {
				return text == "true", nil
			}
			return nil, &usageError{fmt.Sprintf("parameter %s: %q is neither true nor false", key, text), "Write it as -p " + key + "=true."}
		case action.SecretParam:
			if text == "-" {
				return s.secret(key)
			}
		case action.TextParam, action.SelectParam:
		}
	}
	return text, nil
}

// secret reads one line without showing it, so that a secret need not stand in
// the history of a shell or in the list of processes. It is asked for once,
// also when the command is tried anew.
func (s *shell) secret(key string) (string, error) {
	if said, ok := s.secrets[key]; ok {
		return said, nil
	}
	said, err := s.ask(key)
	if err == nil {
		s.secrets[key] = said
	}
	return said, err
}

func (s *shell) ask(key string) (string, error) {
	if f, ok := s.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(s.Err, "%s: ", key)
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(s.Err)
		if err != nil {
			return "", fmt.Errorf("secret %s: %w", key, err)
		}
		return string(b), nil
	}
	line, err := bufio.NewReader(s.In).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("secret %s: %w", key, err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// completeActions offers the actions of the catalog file for the word ACTION.
func (s *shell) completeActions(_ *cobra.Command, words []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	catalog, err := action.Load(s.cfg.Catalog)
	if err != nil || len(words) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var list []cobra.Completion
	for _, a := range catalog.Actions() {
		list = append(list, cobra.CompletionWithDesc(a.ID, a.Title))
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}

// completeTargets offers the targets of the action that was typed.
func (s *shell) completeTargets(_ *cobra.Command, words []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	catalog, err := action.Load(s.cfg.Catalog)
	if err != nil || len(words) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var list []cobra.Completion
	if a, ok := catalog.Action(words[0]); ok {
		for _, t := range a.Targets {
			list = append(list, cobra.CompletionWithDesc(t.ID, t.Title))
		}
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}

// must stops a program that cannot be right.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// ago reads a length of time before now (90m, 24h, 7d) or an instant (RFC 3339,
// or a day).
func ago(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, &usageError{fmt.Sprintf("--since: %q is no length of time and no instant", text), "Write 24h, 7d or 2026-11-24."}
}
