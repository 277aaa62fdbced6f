package engine_test

import (
	"testing"

	"telltale/backend/engine"
	"telltale/backend/job"
)

// The catalog may change while a job waits. What then runs is what the catalog
// says, so the job must fit that: a required parameter it never had is no "".
func TestAJobThatWaitedIsCheckedAgainstTodaysCatalog(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.press("queue")
	p := h.next()
	waiting := h.press("queue")
	h.file = load(t, `
actions:
  queue: {command: {argv: [rm, "/srv/{{params.dir}}"]}, on_busy: queue, params: {dir: {type: text, required: true}}}
`)
	p.succeed()
	end := h.until(waiting, "ended or ran", func(j job.Job) bool { return j.State.Final() || len(h.stage.runs) > 0 })
	if end.State != job.Failed || end.Error.Code != "bad_parameters" || end.Error.Hint == "" {
		t.Errorf("it went on as %s, %+v", end.State, end.Error)
	}
}

func TestAJobThatWaitedKeepsItsSecretWhenTheCatalogIsReloaded(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.submit(engine.Request{Action: "secret"})
	p := h.next()
	h.submit(engine.Request{Action: "secret", Params: map[string]any{"key": "hunter2-hunter2", "note": "n"}})
	h.file = load(t, catalog)
	p.succeed()
	if p := h.next(); p.Bound.Secret("key") != "hunter2-hunter2" || p.Bound.Public["note"] != "n" {
		t.Errorf("it runs with %v and the secret %q", p.Bound.Public, p.Bound.Secret("key"))
	}
}
