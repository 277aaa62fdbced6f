package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"telltale/backend/job"
)

func (s *shell) jobsCommand() *cobra.Command {
	var o struct {
		states, actions, targets []string
		since                    string
		limit                    int
		asJSON                   bool
	}
	c := &cobra.Command{
		Use:     "jobs",
		Short:   "List jobs, the newest first",
		Example: "  telltale jobs --state failed --since 7d\n  telltale jobs --action push --json",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			f := job.Filter{Actions: o.actions, Targets: o.targets}
			for _, word := range o.states {
				if !job.State(word).Valid() {
					return &usageError{fmt.Sprintf("--state: there is no state %q", word), "States are " + stateWords() + "."}
				}
				f.States = append(f.States, job.State(word))
			}
			if o.since != "" {
				at, err := ago(o.since, time.Now())
				if err != nil {
					return err
				}
				f.Since = at
			}
			if o.limit < 1 || o.limit > 1000 {
				return &usageError{"--limit is from 1 to 1000", ""}
			}
			return s.calm(c, func(ctx context.Context) error {
				return s.with(ctx, func(to session) error {
					page, err := to.Jobs(ctx, f, "", o.limit)
					if err != nil {
						return err
					}
					if o.asJSON {
						return printJobs(s.Out, page.Events)
					}
					s.tabulate(page.Events)
					return nil
				})
			})
		},
	}
	c.Flags().StringArrayVar(&o.states, "state", nil, "only jobs in this state, may be repeated: "+stateWords())
	c.Flags().StringArrayVar(&o.actions, "action", nil, "only jobs of this action, may be repeated")
	c.Flags().StringArrayVar(&o.targets, "target", nil, "only jobs on this target, may be repeated")
	c.Flags().StringVar(&o.since, "since", "", "only jobs created since: 24h, 7d, 2026-11-24")
	c.Flags().IntVar(&o.limit, "limit", 50, "how many jobs at most")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print a JSON array of jobs")
	must(c.RegisterFlagCompletionFunc("action", s.completeActions))
	return c
}

func stateWords() string {
	var words []string
	for _, s := range job.States() {
		words = append(words, string(s))
	}
	return strings.Join(words, ", ")
}

// printJobs writes the jobs as they were sent, as one array.
func printJobs(w io.Writer, events []job.Event) error {
	var b strings.Builder
	b.WriteString("[")
	for i, e := range events {
		if i > 0 {
			b.WriteString(",\n ")
		}
		b.Write(e.Data)
	}
	_, err := fmt.Fprintln(w, b.String()+"]")
	return err
}

func (s *shell) tabulate(events []job.Event) {
	p := painter(s.Out)
	t := table{head: []string{"state", "action", "target", "created", "took", "by", "id", "summary"}}
	now := time.Now()
	when, columns := clock, 0
	if terminal(s.Out) {
		columns = max(width(s.Out), 60)
		when = func(at time.Time) string { return clockOf(at, now) }
	}
	for _, e := range events {
		j := e.Job
		said := plainText(j.Summary)
		if said == "" && j.State.Live() {
			said = phaseOf(j)
		}
		t.add(p.state(j.State, mark(j.State)+" "+string(j.State)), plainText(j.Action), plainText(j.Target),
			when(j.CreatedAt), took(j, now), plainText(j.Trigger.By), string(j.ID), said)
	}
	t.print(s.Out, p, columns)
}

func (s *shell) statusCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status JOB",
		Short: "Show one job",
		Args:  exactly("JOB"),
		RunE: func(c *cobra.Command, words []string) error {
			id, err := parseID(words[0])
			if err != nil {
				return err
			}
			return s.calm(c, func(ctx context.Context) error {
				return s.with(ctx, func(to session) error {
					e, err := to.Job(ctx, id)
					if err != nil {
						return err
					}
					if asJSON {
						fmt.Fprintf(s.Out, "%s\n", e.Data)
						return nil
					}
					s.describe(e.Job)
					return nil
				})
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the job as JSON")
	return c
}

// describe writes everything a person asks about a job first.
func (s *shell) describe(j job.Job) {
	p, now := painter(s.Out), time.Now()
	row := func(label, text string) {
		if text != "" {
			fmt.Fprintf(s.Out, "%s %s\n", p.dim(fmt.Sprintf("%-9s", label)), text)
		}
	}
	row("job", string(j.ID))
	row("action", name(j))
	row("state", p.state(j.State, mark(j.State)+" "+string(j.State)))
	if j.State.Live() {
		row("phase", phaseOf(j))
		row("progress", strings.TrimSpace(percentOf(j)+"  "+countsOf(j)))
	}
	row("summary", plainText(j.Summary))
	if j.Error != nil {
		row("error", plainText(j.Error.Message))
		row("hint", plainText(j.Error.Hint))
	}
	for _, n := range j.Warnings {
		row("warning", notice(n))
	}
	row("started", strings.TrimSpace(fmt.Sprintf("by %s (%s) %s", plainText(j.Trigger.By), j.Trigger.Via, plainText(j.Trigger.Reason))))
	if j.Trigger.RetryOf != "" {
		row("retry of", string(j.Trigger.RetryOf))
	}
	if j.Attempts > 1 {
		row("attempt", fmt.Sprintf("%d of %d", j.Attempt, j.Attempts))
	}
	row("created", clock(j.CreatedAt))
	row("finished", clock(j.FinishedAt))
	row("took", took(j, now))
	if j.Log.Lines > 0 {
		row("log", fmt.Sprintf("%d lines: telltale logs %s", j.Log.Lines, j.ID))
	}
}

func (s *shell) cancelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel JOB",
		Short: "Ask for a job to be stopped",
		Long:  "Asks for a job to be stopped. It is canceled once the work did stop; telltale\nstatus shows when.",
		Args:  exactly("JOB"),
		RunE: func(c *cobra.Command, words []string) error {
			id, err := parseID(words[0])
			if err != nil {
				return err
			}
			return s.calm(c, func(ctx context.Context) error {
				return s.with(ctx, func(to session) error {
					e, err := to.Cancel(ctx, id)
					if err != nil {
						return err
					}
					fmt.Fprintln(s.Out, change(e.Job))
					return nil
				})
			})
		},
	}
}
