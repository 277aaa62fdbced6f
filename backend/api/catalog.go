package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/backend/action"
	"telltale/backend/job"
)

// recent is how many jobs the strip of an action shows.
const recent = 20

// listActions answers everything a page needs to draw its buttons and lamps.
func (s *Server) listActions(c *fiber.Ctx) error {
	if q := queryOf(c); q.err != nil {
		return q.err
	}
	ctx, cancel := s.work()
	defer cancel()
	head, err := s.Journal.Head(ctx) // before the jobs are read: what changes meanwhile is told after it
	if err != nil {
		return err
	}
	out := Actions{Actions: []ActionView{}, Trouble: troubleView(s.Trouble()), Head: head.String()}
	for _, a := range s.Catalog().Actions() {
		v, err := s.actionView(ctx, a)
		if err != nil {
			return err
		}
		out.Actions = append(out.Actions, v)
	}
	return encodeJSON(c, out)
}

func (s *Server) actionView(ctx context.Context, a *action.Action) (ActionView, error) {
	v := ActionView{
		ID: a.ID, Title: a.Title, Description: a.Description, Group: a.Group, Kind: a.Kind(), OnBusy: string(a.OnBusy),
		TimeoutMS: a.Timeout.Milliseconds(), Roles: list(a.Roles), Targets: []TargetView{}, Params: []ParamView{}, Recent: []RecentView{},
	}
	for _, p := range a.Params {
		v.Params = append(v.Params, ParamView{
			Name: p.Name, Title: p.Title, Description: p.Description, Type: string(p.Type), Required: p.Required, Default: p.Default,
			Options: p.Options, Pattern: p.Pattern, Min: p.Min, Max: p.Max, Integer: p.Integer,
		})
	}
	page, err := s.Records.List(ctx, job.Filter{Actions: []string{a.ID}}, "", recent)
	if err != nil {
		return v, fmt.Errorf("newest jobs of %s: %w", a.ID, err)
	}
	newest := map[string]Status{}
	for _, e := range page.Events {
		if _, seen := newest[e.Job.Target]; !seen {
			newest[e.Job.Target] = e.Data
		}
		v.Recent = append(v.Recent, recentView(e.Job))
	}
	if len(a.Targets) == 0 {
		v.Last = newest[""]
	}
	for _, t := range a.Targets {
		last, seen := newest[t.ID]
		if !seen && len(page.Events) == recent { // there may be older ones
			one, err := s.Records.List(ctx, job.Filter{Actions: []string{a.ID}, Targets: []string{t.ID}}, "", 1)
			if err != nil {
				return v, fmt.Errorf("newest job of %s for %s: %w", a.ID, t.ID, err)
			}
			if len(one.Events) > 0 {
				last = one.Events[0].Data
			}
		}
		v.Targets = append(v.Targets, TargetView{ID: t.ID, Title: t.Title, Last: last})
	}
	return v, nil
}

func recentView(j job.Job) RecentView {
	v := RecentView{ID: j.ID, State: j.State, Target: j.Target, CreatedAt: j.CreatedAt}
	if !j.StartedAt.IsZero() && !j.FinishedAt.IsZero() {
		v.DurationMS = max(j.FinishedAt.Sub(j.StartedAt), 0).Milliseconds()
	}
	return v
}

func troubleView(f *action.Faults) *Trouble {
	if f == nil {
		return nil
	}
	t := &Trouble{File: f.File, Faults: []FaultView{}}
	for _, fault := range f.List {
		t.Faults = append(t.Faults, FaultView{Line: fault.Line, Column: fault.Column, Message: fault.Message, Hint: fault.Hint})
	}
	return t
}

// getCatalog answers the inventory, as JSON or as a table in Markdown.
func (s *Server) getCatalog(c *fiber.Ctx) error {
	c.Vary(fiber.HeaderAccept)
	media := accepts(c.Get(fiber.HeaderAccept), jsonType, markdownType)
	if media == "" {
		return refuse("not_acceptable", "The catalog is given as %s or %s.", jsonType, markdownType)
	}
	if q := queryOf(c); q.err != nil {
		return q.err
	}
	ctx, cancel := s.work()
	defer cancel()
	out := Catalog{Rows: []CatalogRow{}}
	for _, a := range s.Catalog().Actions() {
		row, err := s.catalogRow(ctx, a)
		if err != nil {
			return err
		}
		out.Rows = append(out.Rows, row)
	}
	if media == jsonType {
		return encodeJSON(c, out)
	}
	c.Set(fiber.HeaderContentType, markdownType+"; charset=utf-8")
	return c.SendString(out.Markdown())
}

func (s *Server) catalogRow(ctx context.Context, a *action.Action) (CatalogRow, error) {
	row := CatalogRow{
		Action: a.ID, Title: a.Title, Kind: a.Kind(),
		Triggers: []string{string(job.ViaButton), string(job.ViaAPI), string(job.ViaCLI)},
		Endpoint: "POST /api/v1/actions/" + a.ID + "/jobs", Targets: []string{}, Schedules: []string{},
		TimeoutMS: a.Timeout.Milliseconds(), Roles: list(a.Roles), Log: "/api/v1/jobs/{id}/log",
	}
	for _, t := range a.Targets {
		row.Targets = append(row.Targets, t.ID)
	}
	page, err := s.Records.List(ctx, job.Filter{Actions: []string{a.ID}}, "", 1)
	if err != nil {
		return row, fmt.Errorf("newest job of %s: %w", a.ID, err)
	}
	for _, e := range page.Events {
		row.Last = &LastRun{ID: e.Job.ID, State: e.Job.State, Target: e.Job.Target, FinishedAt: e.Job.FinishedAt}
	}
	return row, nil
}

// Markdown is the inventory as a table.
func (c Catalog) Markdown() string {
	var b strings.Builder
	b.WriteString("| action | title | kind | started by | endpoint | targets | schedules | timeout | roles | last run |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range c.Rows {
		last := "never"
		if r.Last != nil {
			last = string(r.Last.State)
			if !r.Last.FinishedAt.IsZero() {
				last += " " + r.Last.FinishedAt.UTC().Format(time.RFC3339)
			}
		}
		for _, cell := range []string{
			r.Action, r.Title, r.Kind, strings.Join(r.Triggers, ", "), r.Endpoint, strings.Join(r.Targets, ", "),
			strings.Join(r.Schedules, ", "), (time.Duration(r.TimeoutMS) * time.Millisecond).String(), strings.Join(r.Roles, ", "), last,
		} {
			b.WriteString("| " + markdownCell(cell) + " ")
		}
		b.WriteString("|\n")
	}
	return b.String()
}

func markdownCell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<", "&lt;").Replace(s)
}

// list is never null in JSON.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func encodeJSON(c *fiber.Ctx, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	c.Status(http.StatusOK)
	return sendJSON(c, b)
}
