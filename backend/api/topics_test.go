package api

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/backend/job"
)

func TestTopicsChooseWhatAStreamTells(t *testing.T) {
	t.Parallel()
	h := open(t)
	watched, p := h.start("many")
	other, q := h.start("one")
	h.becomes(watched.Job.ID, job.Running)
	h.becomes(other.Job.ID, job.Running)
	past := h.finish("targeted")

	// A named job is told whatever its state; no other is.
	l := h.listen("topics=job:" + string(past.Job.ID) + ",log:" + string(watched.Job.ID) + "&job=" + string(watched.Job.ID))
	hello := l.hello()
	got := map[job.ID]bool{}
	for range 2 {
		e, _ := l.job()
		got[e.Job.ID] = true
	}
	if want := map[job.ID]bool{past.Job.ID: true, watched.Job.ID: true}; !cmp.Equal(got, want) {
		t.Errorf("told of %v", got)
	}
	q.succeed()
	h.becomes(other.Job.ID, job.Succeeded)
	p.say("hello", "world")
	lines := decoded[LogLines](t, l.nextOf("log").data)
	if lines.Job != watched.Job.ID || len(lines.Lines) == 0 || lines.Lines[0].Text != "hello" || lines.Lines[0].N != 1 {
		t.Errorf("log: %+v", lines)
	}
	// Topics are replaced while it is open; what is named now is shown as it stands.
	put := func(stream, body string) reply { return h.do("PUT", "/api/v1/events/"+stream+"/topics", body) }
	if a := put(hello.Stream, `{"topics":["job:`+string(other.Job.ID)+`"]}`); a.StatusCode != http.StatusNoContent {
		t.Fatalf("PUT: %d %s", a.StatusCode, a.body)
	}
	for {
		e, id := l.job()
		if e.Job.ID == other.Job.ID {
			if id != "" || e.Job.State != job.Succeeded {
				t.Errorf("shown with id %q in state %s", id, e.Job.State)
			}
			break
		}
	}
	p.succeed()
	h.becomes(watched.Job.ID, job.Succeeded)
	if a := put(hello.Stream, `{"topics":["jobs"]}`); a.StatusCode != http.StatusNoContent {
		t.Fatalf("PUT: %d %s", a.StatusCode, a.body)
	}
	fresh := h.finish("reject")
	if e, _ := l.job(); e.Job.ID != fresh.Job.ID {
		t.Errorf("told of %s %s", e.Job.Action, e.Job.State)
	}
	for body, code := range map[string]string{`{"topics":["job:x"]}`: "bad_topic", `{"topics":"jobs"}`: "bad_json", `{"topic":[]}`: "bad_json"} {
		if p := put(hello.Stream, body).problem(t); p.Status != 400 || p.Code != code {
			t.Errorf("%s: %+v", body, p)
		}
	}
	if p := put("nosuchstream", `{"topics":[]}`).problem(t); p.Status != 404 {
		t.Errorf("unknown stream: %+v", p)
	}
}

func TestAnActionFilterNarrowsTheStream(t *testing.T) {
	t.Parallel()
	h := open(t)
	l := h.listen("action=many&action=reject")
	l.hello()
	h.finish("one")
	h.finish("many")
	if e, _ := l.job(); e.Job.Action != "many" {
		t.Errorf("told of %s", e.Job.Action)
	}
}

func TestLongPollTellsTheSameAndHolds(t *testing.T) {
	t.Parallel()
	h := open(t)
	poll := func(query string) Changes {
		return decoded[Changes](t, h.do("GET", "/api/v1/events?"+query, "", "Accept", "application/json").body)
	}
	begin := poll("wait=20") // without a place nothing is waited for
	if begin.Head == "" || len(begin.Events) != 0 || begin.Reset {
		t.Errorf("%+v", begin)
	}
	held := make(chan Changes, 1)
	go func() { held <- poll("since=" + begin.Head + "&wait=20&action=many") }()
	h.finish("one") // of no interest
	_, p := h.start("many")
	c := <-held
	if len(c.Events) == 0 || c.Reset {
		t.Fatalf("%+v", c)
	}
	for _, e := range c.Events {
		if j, err := e.Job.Event(); err != nil || j.Job.Action != "many" || e.Seq > mustCursor(t, c.Head).Seq {
			t.Errorf("told of %s at %d, head %s", j.Job.Action, e.Seq, c.Head)
		}
	}
	p.succeed()
	h.becomes(p.Job, job.Succeeded)
	// Walking on by head misses nothing.
	var states []job.State
	for at := begin.Head; ; {
		c := poll("since=" + at + "&action=many")
		for _, e := range c.Events {
			j, err := e.Job.Event()
			if err != nil {
				t.Fatal(err)
			}
			states = append(states, j.Job.State)
		}
		if at = c.Head; len(c.Events) == 0 {
			break
		}
	}
	if diff := cmp.Diff([]job.State{job.Queued, job.Running, job.Succeeded}, states); diff != "" {
		t.Error(diff)
	}
	if c := poll("since=" + c.Head + "&wait=1&action=reject"); len(c.Events) != 0 || c.Reset || c.Head == "" {
		t.Errorf("nothing happened: %+v", c)
	}
}

func TestManyMissedChangesAreToldOnceForEachJob(t *testing.T) {
	t.Parallel()
	var events []job.Event
	for i := range 100 {
		j := job.ID(strconv.Itoa(i % 4))
		events = append(events, job.Event{Seq: uint64(i + 1), Job: job.Job{ID: j}, Minor: i%10 != 0})
	}
	got := newest(events, func(e job.Event) bool { return !e.Minor })
	var seqs []uint64
	for _, e := range got {
		seqs = append(seqs, e.Seq)
	}
	if diff := cmp.Diff([]uint64{1, 11, 21, 31, 41, 51, 61, 71, 81, 91, 97, 98, 99, 100}, seqs); diff != "" {
		t.Error(diff)
	}
}
