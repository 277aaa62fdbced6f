package api

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/backend/job"
)

func TestTheSameJobIsIdenticalByPollLongPollAndStream(t *testing.T) {
	t.Parallel()
	h := open(t)
	before := decoded[Changes](t, h.do("GET", "/api/v1/events", "", "Accept", "application/json").body)
	e := h.finish("one")
	id := string(e.Job.ID)

	stream := h.listen("since=" + before.Head)
	var last block
	for decoded[JobEvent](t, orEmpty(last.data)).Seq != e.Seq {
		last = stream.nextOf("job")
	}
	streamed := decoded[JobEvent](t, last.data)
	polled := h.do("GET", "/api/v1/jobs/"+id+"/status", "").body
	plain := h.do("GET", "/api/v1/jobs/"+id, "").body
	list := decoded[JobList](t, h.do("GET", "/api/v1/jobs", "").body)
	long := decoded[Changes](t, h.do("GET", "/api/v1/events?since="+before.Head, "", "Accept", "application/json").body)
	actions := decoded[Actions](t, h.do("GET", "/api/v1/actions", "").body)

	for name, got := range map[string][]byte{
		"stream": streamed.Job, "status": polled, "job": plain, "list": list.Jobs[0],
		"long-poll": long.Events[len(long.Events)-1].Job, "actions": actions.Actions[0].Last, "stored": e.Data,
	} {
		if !bytes.Equal(got, e.Data) {
			t.Errorf("%s differs:\n%s\n%s", name, got, e.Data)
		}
	}
}

func orEmpty(b []byte) []byte {
	if len(b) == 0 {
		return []byte("{}")
	}
	return b
}

func TestPollingCostsNothingWhileNothingChanges(t *testing.T) {
	t.Parallel()
	h := open(t)
	e, p := h.start("one")
	running := h.becomes(e.Job.ID, job.Running)
	path := "/api/v1/jobs/" + string(e.Job.ID) + "/status"

	first := h.do("GET", path, "")
	tag := first.Header.Get("ETag")
	if want := etag(e.Job.ID, running.Job.Rev); tag != want {
		t.Fatalf("ETag %s, want %s", tag, want)
	}
	if first.Header.Get("Retry-After") == "" || first.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers of a live job: %v", first.Header)
	}
	same := h.do("GET", path, "", "If-None-Match", `"other", W/`+tag)
	if same.StatusCode != http.StatusNotModified || len(same.body) > 0 || same.Header.Get("ETag") != tag {
		t.Errorf("unchanged job: %d, %d bytes, ETag %q", same.StatusCode, len(same.body), same.Header.Get("ETag"))
	}
	p.succeed()
	h.becomes(e.Job.ID, job.Succeeded)
	changed := h.do("GET", path, "", "If-None-Match", tag)
	if changed.StatusCode != http.StatusOK || changed.Header.Get("Retry-After") != "" {
		t.Errorf("ended job: %d, Retry-After %q", changed.StatusCode, changed.Header.Get("Retry-After"))
	}
	if head := h.do("HEAD", path, ""); head.StatusCode != http.StatusOK || len(head.body) > 0 || head.Header.Get("ETag") == tag {
		t.Errorf("HEAD: %d, %v", head.StatusCode, head.Header)
	}
}

func TestPreferWaitHoldsUntilTheJobChanges(t *testing.T) {
	t.Parallel()
	h := open(t)
	e, p := h.start("one")
	running := h.becomes(e.Job.ID, job.Running)
	path := "/api/v1/jobs/" + string(e.Job.ID)
	tag := etag(e.Job.ID, running.Job.Rev)

	answers := make(chan reply, 1)
	go func() { answers <- h.do("GET", path, "", "Prefer", "respond-async, wait=20", "If-None-Match", tag) }()
	select {
	case a := <-answers:
		t.Fatalf("answered %d before anything changed", a.StatusCode)
	default:
	}
	p.succeed()
	a := <-answers
	if j := decoded[job.Job](t, a.body); a.StatusCode != http.StatusOK || j.Rev <= running.Job.Rev {
		t.Errorf("%d with revision %d after %d", a.StatusCode, j.Rev, running.Job.Rev)
	}
	if got := a.Header.Get("Preference-Applied"); got != "wait=20" {
		t.Errorf("Preference-Applied %q", got)
	}
	h.becomes(e.Job.ID, job.Succeeded)
	// Of a job that has ended there is nothing to wait for.
	if a := h.do("GET", path, "", "Prefer", "wait=20"); a.StatusCode != http.StatusOK || decoded[job.Job](t, a.body).State != job.Succeeded {
		t.Errorf("ended job: %d %s", a.StatusCode, a.body)
	}
	// A client that is behind is answered at once; wait=1 with nothing new is a 304.
	_, p2 := h.start("many")
	live := h.becomes(p2.Job, job.Running)
	path = "/api/v1/jobs/" + string(p2.Job)
	if a := h.do("GET", path, "", "Prefer", "wait=20", "If-None-Match", `"x.1"`); a.StatusCode != http.StatusOK {
		t.Errorf("client that is behind: %d", a.StatusCode)
	}
	if a := h.do("GET", path, "", "Prefer", "wait=1", "If-None-Match", etag(p2.Job, live.Job.Rev)); a.StatusCode != http.StatusNotModified {
		t.Errorf("nothing new: %d", a.StatusCode)
	}
}

func TestTheHistoryIsPagedAndFiltered(t *testing.T) {
	t.Parallel()
	h := open(t)
	var ids []job.ID
	for range 5 {
		ids = append([]job.ID{h.finish("many").Job.ID}, ids...)
	}
	other := h.finish("one")

	var got []job.ID
	query := "?action=many&state=succeeded&state=failed&by=ada&limit=2"
	for after := ""; ; {
		page := decoded[JobList](t, h.do("GET", "/api/v1/jobs"+query+"&after="+after, "").body)
		for _, s := range page.Jobs {
			e, err := s.Event()
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e.Job.ID)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Error(diff)
	}
	none := h.do("GET", "/api/v1/jobs?state=failed", "")
	if !strings.HasPrefix(string(none.body), `{"jobs":[],"next":"","head":"`) {
		t.Errorf("an empty page is %s", none.body)
	}
	page, err := h.client.Jobs(t.Context(), job.Filter{Text: "ONE"}, "", 10)
	if err != nil || len(page.Events) != 1 || page.Events[0].Job.ID != other.Job.ID || page.Head.Seq == 0 {
		t.Errorf("by text: %+v, %v", page, err)
	}
	for _, bad := range []string{"limit=0", "limit=1001", "limit=x", "state=done", "since=yesterday", "items[999999999]=1", "q=%00", "action=%ff", "limit=1&limit=2"} {
		if p := h.do("GET", "/api/v1/jobs?"+bad, "").problem(t); p.Code != "bad_request" || len(p.Errors) == 0 {
			t.Errorf("%s: %+v", bad, p)
		}
	}
	if p := h.do("GET", "/api/v1/jobs?after=..%2F..", "").problem(t); p.Code != "bad_cursor" || p.Status != 400 {
		t.Errorf("bad cursor: %+v", p)
	}
}
