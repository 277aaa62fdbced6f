package feed

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/backend/job"
)

func seqs(all []told) []uint64 {
	var s []uint64
	for _, e := range all {
		s = append(s, e.Seq)
	}
	return s
}

func TestAStreamStartsWithThePresentAndGoesOn(t *testing.T) {
	t.Parallel()
	d := openDesk(t, Options{})
	d.tell("push-1", job.Queued)
	d.tell("push-1", job.Running)
	d.tell("pull-1", job.Queued)
	c := d.connect(t, "jobs", "")
	last := d.tell("push-1", job.Succeeded)
	all := c.until(last.Seq)
	if d := cmp.Diff([]uint64{2, 3, 4}, seqs(all)); d != "" {
		t.Error(d)
	}
	if c.id != "test.4" {
		t.Errorf("last id is %q", c.id)
	}
	if got := all[2].Job; got.State != job.Succeeded || got.Rev != 3 {
		t.Errorf("last job is %+v", got)
	}
}

func TestEachTopicHearsItsOwn(t *testing.T) {
	t.Parallel()
	d := openDesk(t, Options{})
	jobs, one, action := d.connect(t, "jobs", ""), d.connect(t, "job:push-1", ""), d.connect(t, "action:pull", "")
	log := d.connect(t, "log:push-1", "")
	d.tell("push-1", job.Running)
	d.tell("pull-1", job.Running)
	d.hub.PublishLines("pull-1", []job.Line{{N: 1, Text: "not for you"}})
	d.hub.PublishLines("push-1", []job.Line{{N: 1, Text: "one\r\ntwo\x00"}, {N: 2, Text: "\xff"}})
	d.murmur("push-1")
	d.murmur("push-1")
	d.tell("push-1", job.Succeeded)
	d.tell("pull-1", job.Succeeded)
	for _, c := range []struct {
		name string
		*client
		last uint64
		want []uint64
	}{
		{"job", one, 5, []uint64{1, 3, 4, 5}},
		{"action", action, 6, []uint64{2, 6}},
	} {
		if d := cmp.Diff(c.want, seqs(c.until(c.last))); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
	all := seqs(jobs.until(6))
	if !slices.IsSorted(all) || !slices.Contains(all, 5) {
		t.Errorf("jobs: %v", all)
	}
	b, err := log.next()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"job":"push-1","lines":[{"n":1,"at":"0001-01-01T00:00:00Z","stream":"","text":"one\r\ntwo\u0000"},` +
		`{"n":2,"at":"0001-01-01T00:00:00Z","stream":"","text":"\ufffd"}]}`
	if d := cmp.Diff(block{Event: "log", Data: want}, b); d != "" {
		t.Error(d)
	}
}
