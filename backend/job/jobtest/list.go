package jobtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"telltale/backend/job"
)

// pages reads a whole listing, page by page.
func (b *bench) pages(f job.Filter, limit int) []job.Event {
	b.Helper()
	var all []job.Event
	after := ""
	for {
		page, err := b.s.List(b.ctx(), f, after, limit)
		if err != nil {
			b.Fatalf("list %+v after %q: %v", f, after, err)
		}
		if len(page.Events) > limit || page.Next == "" && after != "" && len(page.Events) == 0 {
			b.Fatalf("list %+v after %q: %d events, next %q", f, after, len(page.Events), page.Next)
		}
		all = append(all, page.Events...)
		if page.Next == "" {
			return all
		}
		after = page.Next
	}
}

// listed compares a listing with the oracle's.
func (b *bench) listed(what string, got, want []job.Event) {
	b.Helper()
	if diff := cmp.Diff(ids(want), ids(got)); diff != "" {
		b.Fatalf("%s (-want +got):\n%s", what, diff)
	}
	for i := range want {
		if want[i].Seq != got[i].Seq || string(want[i].Data) != string(got[i].Data) {
			b.Fatalf("%s: event %d is\n%d %s\nwant\n%d %s", what, i, got[i].Seq, got[i].Data, want[i].Seq, want[i].Data)
		}
	}
}

// history fills a store with jobs of all kinds and returns them.
func (b *bench) history(n int) *oracle {
	b.Helper()
	o := newOracle()
	add := func(want job.Rev, next job.Job, err error) job.Job {
		b.Helper()
		e := b.must(want, next, err)
		o.add(e)
		return e.Job
	}
	states := []job.State{job.Succeeded, job.Failed, job.Warning, job.Canceled, job.Interrupted, job.Running, job.Queued, job.Skipped, job.Succeeded}
	for i := range n {
		j := b.fresh([]string{"push", "pull", "tests"}[i%3], []string{"berlin", "", "oslo", "a-\u00fc/" + strings.Repeat("long", 30)}[i%4])
		j.Trigger.By = []string{"ada", "eva", "x\x00y"}[i/2%3]
		state := states[i*7%len(states)]
		if state == job.Skipped {
			add(0, job.Skip(j, j.CreatedAt, "Paused since "+j.Action), nil)
			continue
		}
		j = add(0, j, nil)
		if state == job.Queued {
			continue
		}
		next, err := j.Start(b.clock.Now(), "h", "b")
		j = add(j.Rev, next, err)
		next, err = j.Note(b.clock.Now(), job.Report{Phase: fmt.Sprintf("Phase <%d> of Ähren", i%5)})
		j = add(j.Rev, next, err)
		if state == job.Running {
			continue
		}
		out := job.Outcome{State: state, Summary: fmt.Sprintf("%d commits MOVED to %q", i%4, j.Target)}
		if state == job.Failed {
			out.Error = &job.Error{Code: "exit_status", Message: "It said \"NO\" & left.", Hint: "Look at <line> 3."}
		}
		next, err = j.Finish(b.clock.Now(), out)
		add(j.Rev, next, err)
	}
	return o
}

func listPages(b *bench) {
	o := b.history(30)
	b.step()
	for _, limit := range []int{1, 7, 30, 31, 1000} {
		b.listed(fmt.Sprintf("pages of %d", limit), b.pages(job.Filter{}, limit), o.list(job.Filter{}))
	}
	page, err := b.s.List(b.ctx(), job.Filter{}, "", 10)
	if err != nil {
		b.Fatal(err)
	}
	want := o.list(job.Filter{})
	for range 5 { // what comes new does not shift the next page
		o.add(b.must(0, b.fresh("push", "berlin"), nil))
		b.step()
	}
	second, err := b.s.List(b.ctx(), job.Filter{}, page.Next, 10)
	if err != nil {
		b.Fatal(err)
	}
	b.listed("second page", second.Events, want[10:20])
}

func listFilters(b *bench) {
	o := b.history(60)
	b.step()
	middle := o.all()[30].Job.CreatedAt
	for _, f := range []job.Filter{
		{},
		{Actions: []string{"push"}},
		{Actions: []string{"push", "pull", "push"}},
		{Actions: []string{"nobody"}},
		{Targets: []string{"berlin"}},
		{Targets: []string{""}},
		{Targets: []string{"a-\u00fc/" + strings.Repeat("long", 30)}},
		{States: []job.State{job.Failed}},
		{States: []job.State{job.Running, job.Queued}},
		{States: []job.State{job.Running, job.Failed, job.Skipped}},
		{By: []string{"x\x00y"}},
		{By: []string{"eva", "nobody"}},
		{Actions: []string{"push"}, Targets: []string{"oslo"}},
		{Actions: []string{"push", "tests"}, Targets: []string{"oslo", "berlin"}, States: []job.State{job.Succeeded, job.Running}, By: []string{"ada", "eva"}},
		{Since: middle},
		{Until: middle},
		{Since: middle.Add(-20 * time.Millisecond), Until: middle.Add(20 * time.Millisecond)},
		{Since: middle, Until: middle},
		{Since: middle.Add(-20 * time.Millisecond), Actions: []string{"pull"}, Text: "commits"},
		{Text: "commits moved"},
		{Text: "0 COMMITS"},
		{Text: "\"no\" & left"},
		{Text: "<line> 3"},
		{Text: "phase <2> of ähren"},
		{Text: "ÄHREN"},
		{Text: "exit_status"},
		{Text: "do push"},
		{Text: "01a"},
		{Text: "paused SINCE", States: []job.State{job.Skipped}},
		{Text: "nowhere to be found"},
	} {
		what := fmt.Sprintf("%+v", f)
		b.listed(what, b.pages(f, 7), o.list(f))
		b.listed(what, b.pages(f, 1000), o.list(f))
	}
}

func listRefusesPlaces(b *bench) {
	b.history(3)
	page, err := b.s.List(b.ctx(), job.Filter{}, "", 1)
	if err != nil || page.Next == "" {
		b.Fatalf("next %q, %v", page.Next, err)
	}
	b.step()
	next := page.Next
	last := byte('0')
	if next[len(next)-1] == '0' {
		last = '1'
	}
	for _, bad := range []string{
		"x", " ", next + "0", next[1:], strings.ToUpper(next) + "g", next[:len(next)-1] + string(last),
		"../../etc/passwd", "\x00", strings.Repeat("f", 1<<16), b.head().String(),
	} {
		_, err := b.s.List(b.ctx(), job.Filter{}, bad, 1)
		wantError[*job.InvalidCursorError](b, fmt.Sprintf("after %.40q", bad), err, nil)
	}
}

func liveIsNotFinal(b *bench) {
	o := b.history(25)
	b.step()
	events, at, err := b.s.Live(b.ctx())
	if err != nil || at != b.head() {
		b.Fatalf("live at %v, %v", at, err)
	}
	b.listed("live", events, o.live())
	if !slices.IsSortedFunc(events, func(x, y job.Event) int { return int(x.Seq) - int(y.Seq) }) {
		b.Error("live is not in the order of seq")
	}
	for _, e := range events {
		b.same("live", e, o.jobs[e.Job.ID].Job)
	}
}
