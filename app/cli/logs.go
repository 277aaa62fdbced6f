package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"telltale/backend/job"
)

// logPage is how many lines of a log are asked for at once.
const logPage = 1000

func (s *shell) logsCommand() *cobra.Command {
	var follow bool
	c := &cobra.Command{
		Use:   "logs JOB",
		Short: "Print what a job wrote",
		Long: `Prints what a job wrote, on both its streams and in the order it was read. On a
terminal colours stay and every other control sequence is left out; elsewhere
the text is as it was.`,
		Args: exactly("JOB"),
		RunE: func(c *cobra.Command, words []string) error {
			id, err := parseID(words[0])
			if err != nil {
				return err
			}
			return s.calm(c, func(ctx context.Context) error {
				return s.with(ctx, func(to session) error { return s.printLog(ctx, to, id, follow) })
			})
		},
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new lines until the job has ended")
	return c
}

func (s *shell) printLog(ctx context.Context, to session, id job.ID, follow bool) error {
	write := s.lineWriter()
	from := int64(1)
	for {
		part, err := to.Log(ctx, id, from, logPage)
		if err != nil {
			return err
		}
		*to.begun = true
		if part.Dropped > 0 {
			fmt.Fprintf(s.Err, "%d lines are no longer kept\n", part.Dropped)
		}
		for _, l := range part.Lines {
			if err := write(l); err != nil {
				return err
			}
		}
		if part.Next <= from {
			break
		}
		from = part.Next
	}
	if !follow {
		return nil
	}
	_, err := to.FollowLog(ctx, id, from, write)
	return err
}

// lineWriter prints log lines the way the output can take them.
func (s *shell) lineWriter() func(job.Line) error {
	if !terminal(s.Out) {
		return func(l job.Line) error {
			_, err := fmt.Fprintln(s.Out, l.Text)
			return err
		}
	}
	p := painter(s.Out)
	show := plainText
	if p {
		show = logText
	}
	return func(l job.Line) error {
		text := show(l.Text)
		if l.Stream == job.System {
			text = p.dim(text)
		}
		_, err := fmt.Fprintln(s.Out, text)
		return err
	}
}
