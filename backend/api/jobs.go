package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/backend/feed"
	"telltale/backend/job"
)

// getJob answers one job: the stored bytes. With Prefer: wait it holds the
// answer until the job changes; with If-None-Match too, until it is no longer
// the one the client has.
func (s *Server) getJob(c *fiber.Ctx) error {
	id, err := pathJob(c)
	if err != nil {
		return err
	}
	if q := queryOf(c); q.err != nil {
		return q.err
	}
	have, wait := c.Get(fiber.HeaderIfNoneMatch), preferWait(c.Get("Prefer"))
	e, held, err := s.await(id, wait, func(e job.Event) bool {
		return have == "" || matches(have, etag(id, e.Job.Rev))
	})
	if err != nil {
		return err
	}
	tag := etag(id, e.Job.Rev)
	c.Set(fiber.HeaderETag, tag)
	if held {
		c.Set("Preference-Applied", "wait="+strconv.Itoa(int(wait/time.Second)))
	}
	if e.Job.State.Live() {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(s.patience(e.Job)))
	}
	if have != "" && matches(have, tag) {
		c.Status(http.StatusNotModified)
		return nil
	}
	return sendJob(c, http.StatusOK, e)
}

// await is the job as it is, or, when stale says that the client has nothing to
// learn from that and the job may still change, as it is after its next change
// or after wait. held reports that the answer was held back, or would have been.
func (s *Server) await(id job.ID, wait time.Duration, stale func(job.Event) bool) (e job.Event, held bool, err error) {
	ctx, cancel := context.WithTimeout(s.life, max(wait, time.Millisecond))
	defer cancel()
	var box *feed.Mailbox
	if wait > 0 { // subscribe first: a change after the look below is not missed
		box = s.Hub.Subscribe(feed.Interest{Job: map[job.ID]bool{id: true}})
		defer box.Close()
	}
	look, done := s.work()
	defer done()
	if e, err = s.Records.Get(look, id); err != nil {
		return job.Event{}, false, err
	}
	if wait == 0 {
		return e, false, nil
	}
	for e.Job.State.Live() && stale(e) {
		item, err := box.Next(ctx)
		if err != nil {
			return e, true, nil // time is up, or the server stops: what we have is true
		}
		if item.Event.Job.Rev > e.Job.Rev {
			return item.Event, true, nil
		}
	}
	return e, true, nil
}

// patience is after how many seconds a poller should come back.
func (s *Server) patience(j job.Job) int {
	if left := j.NotBefore.Sub(s.Clock()); j.State == job.Queued && left > 0 {
		return int(min(left, 30*time.Second)/time.Second) + 1
	}
	if j.State == job.Waiting {
		return 5
	}
	return 1
}

func sendJob(c *fiber.Ctx, status int, e job.Event) error {
	c.Set(fiber.HeaderContentType, jsonType)
	c.Status(status)
	c.Response().SetBodyRaw(e.Data)
	return nil
}

// listJobs answers one page of the history.
func (s *Server) listJobs(c *fiber.Ctx) error {
	q := queryOf(c, "action", "target", "state", "by", "since", "until", "q", "after", "limit")
	f := job.Filter{
		Actions: q.words("action"), Targets: q.words("target"), By: q.words("by"),
		Since: q.instant("since"), Until: q.instant("until"), Text: strings.TrimSpace(q.text("q")),
	}
	for _, word := range q.values["state"] {
		f.States = append(f.States, job.State(word))
		if !job.State(word).Valid() {
			q.fail("state", "must be one of %s", strings.Join(stateWords(), ", "))
		}
	}
	if len(f.Text) > maxText {
		q.fail("q", "is longer than %d bytes", maxText)
	}
	after, limit := q.text("after"), int(q.number("limit", 50, 1, maxList))
	if q.err != nil {
		return q.err
	}
	ctx, cancel := s.work()
	defer cancel()
	page, err := s.Records.List(ctx, f, after, limit)
	if err != nil {
		return err
	}
	size := 64
	for _, e := range page.Events {
		size += len(e.Data) + 1
	}
	body := append(make([]byte, 0, size), `{"jobs":[`...)
	for i, e := range page.Events {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, e.Data...)
	}
	body = append(body, `],"next":`...)
	body = strconv.AppendQuote(body, page.Next) // cursors are plain ASCII, see job.Cursor
	body = append(body, `,"head":"`...)
	body = append(body, page.Head.String()...)
	return sendJSON(c, append(body, `"}`...))
}

func sendJSON(c *fiber.Ctx, body []byte) error {
	c.Set(fiber.HeaderContentType, jsonType)
	c.Response().SetBodyRaw(body)
	return nil
}
