package api

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"

	"telltale/backend/job"
)

func TestATriggerIsAnsweredWithAJobThatIsKept(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.do("POST", "/api/v1/actions/targeted/jobs", `{"target":"oslo","reason":"because","via":"button"}`)
	j := decoded[job.Job](t, a.body)
	if a.StatusCode != http.StatusAccepted || a.Header.Get("Location") != "/api/v1/jobs/"+string(j.ID) || a.Header.Get("ETag") != etag(j.ID, j.Rev) {
		t.Fatalf("%d %v", a.StatusCode, a.Header)
	}
	if j.Trigger.Via != job.ViaButton || j.Trigger.By != "ada" || j.Trigger.Reason != "because" || j.Target != "oslo" {
		t.Errorf("trigger %+v, target %q", j.Trigger, j.Target)
	}
	if kept, err := h.store.Get(t.Context(), j.ID); err != nil || kept.Job.ID != j.ID {
		t.Errorf("not kept: %v", err)
	}
	// A second press joins.
	again := h.do("POST", "/api/v1/actions/targeted/jobs", `{"target":"oslo"}`)
	if again.StatusCode != http.StatusOK || decoded[job.Job](t, again.body).ID != j.ID {
		t.Errorf("second press: %d %s", again.StatusCode, again.body)
	}
	// Without a body everything is at its default.
	p := h.do("POST", "/api/v1/actions/one/jobs", "")
	if v := decoded[job.Job](t, p.body).Trigger.Via; p.StatusCode != http.StatusAccepted || v != job.ViaAPI {
		t.Errorf("without a body: %d, via %q", p.StatusCode, v)
	}
}

func TestR23_ManyTriggersWithOneKeyMakeOneJob(t *testing.T) {
	t.Parallel()
	h := open(t)
	var mu sync.Mutex // guards what follows
	ids, codes := map[job.ID]bool{}, map[int]int{}
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			a := h.do("POST", "/api/v1/actions/many/jobs", `{}`, "Idempotency-Key", `"k-1"`)
			mu.Lock()
			defer mu.Unlock()
			ids[decoded[job.Job](t, a.body).ID] = true
			codes[a.StatusCode]++
		})
	}
	all.Wait()
	if len(ids) != 1 || codes[http.StatusAccepted] != 1 || codes[http.StatusOK] != 39 {
		t.Errorf("%d jobs, answers %v", len(ids), codes)
	}
	p := h.do("POST", "/api/v1/actions/many/jobs", `{"reason":"another request"}`, "Idempotency-Key", "k-1").problem(t)
	if p.Status != 422 || p.Code != "idempotency_key_reused" || !strings.HasPrefix(p.Instance, "/api/v1/jobs/") {
		t.Errorf("same key, other body: %+v", p)
	}
}

func TestCancelAndRetry(t *testing.T) {
	t.Parallel()
	h := open(t)
	e, _ := h.start("one")
	path := "/api/v1/jobs/" + string(e.Job.ID)
	if p := h.do("POST", path+"/retry", "").problem(t); p.Status != 409 || p.Code != "not_final" || p.Instance != path {
		t.Errorf("retry of a live job: %+v", p)
	}
	a := h.do("POST", path+"/cancel", "")
	if j := decoded[job.Job](t, a.body); a.StatusCode != http.StatusAccepted || j.Cancel == nil || j.Cancel.By != "ada" {
		t.Errorf("cancel: %d %s", a.StatusCode, a.body)
	}
	ended := h.becomes(e.Job.ID, job.Canceled)
	again := h.do("POST", path+"/cancel", `{}`)
	if again.StatusCode != http.StatusAccepted || !bytes.Equal(again.body, ended.Data) {
		t.Errorf("cancel of a job that has ended: %d %s", again.StatusCode, again.body)
	}
	r := h.do("POST", path+"/retry", "", "Idempotency-Key", "retry-1")
	j := decoded[job.Job](t, r.body)
	if r.StatusCode != http.StatusAccepted || j.Trigger.RetryOf != e.Job.ID || r.Header.Get("Location") != "/api/v1/jobs/"+string(j.ID) {
		t.Errorf("retry: %d %s", r.StatusCode, r.body)
	}
	if same := h.do("POST", path+"/retry", "", "Idempotency-Key", "retry-1"); same.StatusCode != http.StatusOK || decoded[job.Job](t, same.body).ID != j.ID {
		t.Errorf("retry with the same key: %d %s", same.StatusCode, same.body)
	}
}

func TestRefusedTriggersStartNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	const form, one = "/api/v1/actions/form/jobs", "/api/v1/actions/one/jobs"
	busy, _ := h.start("reject")
	secret := decoded[job.Job](t, h.do("POST", form, `{"params":{"name":"ada","key":"hush-hush"}}`).body)
	h.next().succeed()
	h.becomes(secret.ID, job.Succeeded)
	head, err := h.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	deep := strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)
	for _, c := range []struct {
		name, path, body string
		header           []string
		status           int
		code, says       string // says: found in the answer
	}{
		{"unknown action", "/api/v1/actions/nonesuch/jobs", `{}`, nil, 404, "unknown_action", ""},
		{"unknown action, nearly right", "/api/v1/actions/tageted/jobs", `{}`, nil, 404, "unknown_action", "targeted"},
		{"action with a path trick", "/api/v1/actions/..%2F..%2Fetc/jobs", `{}`, nil, 404, "not_found", ""},
		{"action with NUL", "/api/v1/actions/one%00/jobs", `{}`, nil, 404, "not_found", ""},
		{"unknown target", "/api/v1/actions/targeted/jobs", `{"target":"paris"}`, nil, 422, "unknown_target", "berlin, oslo"},
		{"target of an action without any", one, `{"target":"paris"}`, nil, 422, "unknown_target", "no targets"},
		{"target with control characters", "/api/v1/actions/targeted/jobs", `{"target":"oslo\u0000"}`, nil, 422, "unknown_target", ""},
		{"unknown parameter", form, `{"params":{"name":"ada","colour":"red"}}`, nil, 422, "bad_parameters", `"field":"colour"`},
		{"parameter missing", form, `{}`, nil, 422, "bad_parameters", `"field":"name"`},
		{"parameter of the wrong type", form, `{"params":{"name":"ada","count":true}}`, nil, 422, "bad_parameters", `"field":"count"`},
		{"parameter that is an object", form, `{"params":{"name":{"$ne":""}}}`, nil, 422, "bad_parameters", `"field":"name"`},
		{"every wrong parameter at once", form, `{"params":{"name":"A","count":77,"deep":"maybe"}}`, nil, 422, "bad_parameters", `"field":"deep"`},
		{"parameter full of shell", form, `{"params":{"name":"; rm -rf / $(id) | cat"}}`, nil, 422, "bad_parameters", `"field":"name"`},
		{"parameter with NUL", form, `{"params":{"name":"a\u0000b"}}`, nil, 422, "bad_parameters", `"field":"name"`},
		{"target of the wrong type", one, `{"target":5}`, nil, 400, "bad_json", `must be text, not a number`},
		{"params of the wrong type", one, `{"params":[1]}`, nil, 400, "bad_json", `must be an object, not a list`},
		{"number out of this world", form, `{"params":{"name":"ada","count":1e999}}`, nil, 400, "bad_json", "too large"},
		{"NaN", form, `{"params":{"count":NaN}}`, nil, 400, "bad_json", ""},
		{"unknown field", one, `{"targte":"oslo"}`, nil, 400, "bad_json", `"field":"targte"`},
		{"field in another case", one, `{"Target":"oslo"}`, nil, 400, "bad_json", `"field":"Target"`},
		{"field twice", one, `{"reason":"a","reason":"b"}`, nil, 400, "bad_json", "twice"},
		{"parameter twice", form, `{"params":{"name":"a","name":"b"}}`, nil, 400, "bad_json", "params.name"},
		{"bad JSON", one, `{"target":`, nil, 400, "bad_json", ""},
		{"two values", one, `{}{}`, nil, 400, "bad_json", "follows"},
		{"a list", one, `[]`, nil, 400, "bad_json", "one JSON object"},
		{"not UTF-8", one, "{\"reason\":\"\xff\"}", nil, 400, "bad_json", "UTF-8"},
		{"deep JSON", one, `{"params":` + deep + `}`, nil, 400, "bad_json", "16 levels"},
		{"reason with control characters", one, `{"reason":"a\u001b[2J"}`, nil, 400, "bad_request", "control"},
		{"reason too long", one, `{"reason":"` + strings.Repeat("ä", 501) + `"}`, nil, 400, "bad_request", "500"},
		{"claims to be the clock", one, `{"via":"schedule"}`, nil, 400, "bad_request", `"field":"via"`},
		{"busy", "/api/v1/actions/reject/jobs", `{}`, nil, 409, "busy", string(busy.Job.ID)},
		{"retry of a job with a secret", "/api/v1/jobs/" + string(secret.ID) + "/retry", `{}`, nil, 409, "sealed", ""},
		{"retry of no job", "/api/v1/jobs/01939f6e-7c1e-7a5e-8000-000000000001/retry", ``, nil, 404, "not_found", ""},
		{"cancel of no id", "/api/v1/jobs/..%2f..%2fpasswd/cancel", ``, nil, 404, "not_found", ""},
		{"key empty", one, `{}`, []string{"Idempotency-Key", `""`}, 400, "bad_request", "Idempotency-Key"},
		{"key too long", one, `{}`, []string{"Idempotency-Key", strings.Repeat("k", 256)}, 400, "bad_request", "Idempotency-Key"},
		{"key not ASCII", one, `{}`, []string{"Idempotency-Key", "schlüssel"}, 400, "bad_request", "Idempotency-Key"},
		{"form instead of JSON", one, `target=oslo`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported_media_type", ""},
		{"text instead of JSON", one, `{}`, []string{"Content-Type", "text/plain"}, 415, "unsupported_media_type", ""},
		{"compressed", one, `{}`, []string{"Content-Encoding", "gzip"}, 415, "unsupported_media_type", ""},
		{"address too long", "/api/v1/actions/" + strings.Repeat("a", 9000) + "/jobs", `{}`, nil, 414, "url_too_long", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := h.do("POST", c.path, c.body, c.header...)
			p := a.problem(t)
			if p.Status != c.status || a.StatusCode != c.status || p.Code != c.code || !strings.Contains(string(a.body), c.says) {
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
			if p.Title == "" || p.Detail == "" || p.Hint == "" || p.Type != "/docs#"+p.Code || p.RequestID != a.Header.Get("X-Request-Id") {
				t.Errorf("incomplete: %+v", p)
			}
		})
	}
	// What must not have happened: a job, a run, a secret in the log.
	after, err := h.store.Head(t.Context())
	if err != nil || after != head {
		t.Errorf("the feed moved from %s to %s: %v", head, after, err)
	}
	if len(h.stage.runs) > 0 {
		t.Errorf("%d runs began", len(h.stage.runs))
	}
	if strings.Contains(h.log.String(), "hush-hush") {
		t.Error("a secret is in the log")
	}
}
