package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"telltale/backend/action"
	"telltale/backend/api"
)

func (s *shell) actionsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "actions",
		Short: "List what can be started, and how",
		Args:  exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return s.calm(c, func(ctx context.Context) error {
				return s.with(ctx, func(to session) error {
					all, err := to.Actions(ctx)
					if err != nil {
						return err
					}
					s.listActions(all)
					return nil
				})
			})
		},
	}
}

func (s *shell) listActions(all api.Actions) {
	p := painter(s.Out)
	for i, a := range all.Actions {
		if i > 0 {
			fmt.Fprintln(s.Out)
		}
		fmt.Fprintf(s.Out, "%s  %s\n", p.bold(plainText(a.ID)), plainText(a.Title))
		if a.Description != "" {
			fmt.Fprintf(s.Out, "  %s\n", plainText(a.Description))
		}
		for _, t := range a.Targets {
			fmt.Fprintf(s.Out, "  %s  %s\n", p.dim("--target "+plainText(t.ID)), plainText(t.Title))
		}
		for _, v := range a.Params {
			fmt.Fprintf(s.Out, "  %s  %s\n", p.dim("-p "+plainText(v.Name)+"="), describeParam(v))
		}
	}
	if all.Trouble != nil {
		fmt.Fprintf(s.Err, "%s has faults; what is shown is the last good version:\n", all.Trouble.File)
		sayFaults(s.Err, faultsOf(*all.Trouble))
	}
}

func faultsOf(t api.Trouble) *action.Faults {
	f := &action.Faults{File: t.File}
	for _, v := range t.Faults {
		f.List = append(f.List, action.Fault{Line: v.Line, Column: v.Column, Message: v.Message, Hint: v.Hint})
	}
	return f
}

func describeParam(v api.ParamView) string {
	words := []string{v.Type}
	if len(v.Options) > 0 {
		words[0] = strings.Join(v.Options, " | ")
	}
	if v.Required {
		words = append(words, "required")
	}
	if v.Default != nil {
		words = append(words, fmt.Sprintf("default %v", v.Default))
	}
	text := plainText(strings.Join(words, ", "))
	if v.Description != "" {
		text += ": " + plainText(v.Description)
	}
	return text
}

func (s *shell) catalogCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "catalog",
		Short: "Show everything that can start here, and what its last run came to",
		Long: `Shows the inventory: each action, the ways it can be started, its endpoint,
targets, schedules, time limit and roles, where its log goes, and the last job
with its outcome. It answers the question: what can start in the dark here?`,
		Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			if format != "table" && format != "markdown" && format != "json" {
				return &usageError{fmt.Sprintf("--format: there is no format %q", format), "Formats are table, markdown and json."}
			}
			return s.calm(c, func(ctx context.Context) error {
				return s.with(ctx, func(to session) error {
					all, err := to.Catalog(ctx)
					if err != nil {
						return err
					}
					return s.printCatalog(all, format)
				})
			})
		},
	}
	c.Flags().StringVar(&format, "format", "table", "table, markdown or json")
	return c
}

func (s *shell) printCatalog(all api.Catalog, format string) error {
	switch format {
	case "json":
		to := json.NewEncoder(s.Out)
		to.SetIndent("", "  ")
		return to.Encode(all)
	case "markdown":
		_, err := io.WriteString(s.Out, all.Markdown())
		return err
	}
	p := painter(s.Out)
	t := table{head: []string{"action", "title", "kind", "started by", "endpoint", "targets", "schedules", "limit", "roles", "log", "last job", "outcome"}}
	for _, r := range all.Rows {
		last, outcome := "", "never"
		if r.Last != nil {
			last = string(r.Last.ID)
			outcome = strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", mark(r.Last.State), r.Last.State, r.Last.Target, clock(r.Last.FinishedAt))), " ")
			outcome = p.state(r.Last.State, plainText(outcome))
		}
		limit := span(time.Duration(r.TimeoutMS)*time.Millisecond, false)
		t.add(r.Action, plainText(r.Title), r.Kind, strings.Join(r.Triggers, ", "), r.Endpoint, strings.Join(r.Targets, ", "),
			strings.Join(r.Schedules, ", "), limit, strings.Join(r.Roles, ", "), r.Log, last, outcome)
	}
	if terminal(s.Out) && t.width() > width(s.Out) {
		t.list(s.Out, p)
		return nil
	}
	t.print(s.Out, p, 0)
	return nil
}

func (s *shell) validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate",
		Short: "Say everything that is wrong with the catalog file",
		Args:  exactly(),
		RunE: func(*cobra.Command, []string) error {
			catalog, err := action.Load(s.cfg.Catalog)
			if err != nil {
				return err
			}
			fmt.Fprintf(s.Out, "%s is right: %s\n", s.cfg.Catalog, count(len(catalog.Actions()), "action"))
			return nil
		},
	}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
