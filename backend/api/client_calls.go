package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"telltale/backend/job"
)

// Trigger asks a server for one run of an action.
type Trigger struct {
	Action string
	Target string
	Params map[string]any
	Reason string
	Via    job.Via // api unless told; button and cli are the others a client may say
	Key    string  // idempotency key; made when empty
}

// Trigger starts a job and returns its first status, safe on disk. started is
// false when a live job was joined or the key was used before. A connection
// that breaks in the middle is tried again with the same key, so that it makes
// one job at most.
func (c *Client) Trigger(ctx context.Context, t Trigger) (e job.Event, started bool, err error) {
	if t.Key == "" {
		if t.Key, err = c.newKey(); err != nil {
			return job.Event{}, false, err
		}
	}
	return c.start(ctx, call{
		method: http.MethodPost, path: "/api/v1/actions/" + url.PathEscape(t.Action) + "/jobs",
		header: map[string]string{"Idempotency-Key": t.Key},
		body:   TriggerBody{Target: t.Target, Params: t.Params, Reason: t.Reason, Via: t.Via},
	})
}

// Retry runs again what a final job ran, as a new job. An empty key is made.
func (c *Client) Retry(ctx context.Context, id job.ID, key string) (e job.Event, started bool, err error) {
	if key == "" {
		if key, err = c.newKey(); err != nil {
			return job.Event{}, false, err
		}
	}
	return c.start(ctx, call{
		method: http.MethodPost, path: jobPath(id) + "/retry",
		header: map[string]string{"Idempotency-Key": key},
	})
}

func (c *Client) start(ctx context.Context, r call) (job.Event, bool, error) {
	for attempt := 1; ; attempt++ {
		raw, status, err := c.fetch(ctx, r, nil)
		if err == nil {
			e, err := Status(raw).Event()
			return e, status == http.StatusAccepted, err
		}
		var dial *net.OpError
		refused := errors.As(err, &dial) && dial.Op == "dial"
		if !errors.Is(err, ErrUnreachable) || refused || attempt >= c.pace.attempts {
			return job.Event{}, false, err
		}
		if err := pause(ctx, c.pace.backoff); err != nil {
			return job.Event{}, false, err
		}
	}
}

func (c *Client) newKey() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(c.rand, b[:]); err != nil {
		return "", fmt.Errorf("idempotency key: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// Job is a job as it is now. Seq of the event is not known.
func (c *Client) Job(ctx context.Context, id job.ID) (job.Event, error) {
	return c.Wait(ctx, id, 0, 0)
}

// Wait is a job as soon as its revision is greater than have, or as it is when
// hold has passed (at most a minute) or it has ended.
func (c *Client) Wait(ctx context.Context, id job.ID, have job.Rev, hold time.Duration) (job.Event, error) {
	r := call{method: http.MethodGet, path: jobPath(id), header: map[string]string{}}
	if hold >= time.Second && have > 0 {
		r.header["Prefer"] = "wait=" + strconv.Itoa(int(min(hold, maxWait)/time.Second))
		r.header["If-None-Match"] = etag(id, have)
	}
	raw, status, err := c.fetch(ctx, r, nil)
	if err != nil {
		return job.Event{}, err
	}
	if status == http.StatusNotModified {
		return c.Wait(ctx, id, 0, 0)
	}
	return Status(raw).Event()
}

// Jobs is one page of the history, newest first; see [job.Records] for filter,
// after and limit. Seq of the events is not known.
func (c *Client) Jobs(ctx context.Context, f job.Filter, after string, limit int) (job.Page, error) {
	q := url.Values{"action": f.Actions, "target": f.Targets, "by": f.By}
	for _, s := range f.States {
		q.Add("state", string(s))
	}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	if !f.Since.IsZero() {
		set("since", f.Since.UTC().Format(time.RFC3339Nano))
	}
	if !f.Until.IsZero() {
		set("until", f.Until.UTC().Format(time.RFC3339Nano))
	}
	set("q", f.Text)
	set("after", after)
	if limit > 0 {
		set("limit", strconv.Itoa(limit))
	}
	var list JobList
	if _, _, err := c.fetch(ctx, call{method: http.MethodGet, path: "/api/v1/jobs", query: q}, &list); err != nil {
		return job.Page{}, err
	}
	page := job.Page{Next: list.Next}
	var err error
	if page.Head, err = job.ParseCursor(list.Head); err != nil {
		return job.Page{}, err
	}
	for _, s := range list.Jobs {
		e, err := s.Event()
		if err != nil {
			return job.Page{}, err
		}
		page.Events = append(page.Events, e)
	}
	return page, nil
}

// Cancel asks for a job to be stopped and returns it as it is after asking.
func (c *Client) Cancel(ctx context.Context, id job.ID) (job.Event, error) {
	raw, _, err := c.fetch(ctx, call{method: http.MethodPost, path: jobPath(id) + "/cancel"}, nil)
	if err != nil {
		return job.Event{}, err
	}
	return Status(raw).Event()
}

// Log is at most limit lines (1 to 1000) of a job's log, from line number from.
func (c *Client) Log(ctx context.Context, id job.ID, from int64, limit int) (job.LogPart, error) {
	var part job.LogPart
	q := url.Values{"from": {strconv.FormatInt(from, 10)}, "limit": {strconv.Itoa(limit)}}
	_, _, err := c.fetch(ctx, call{method: http.MethodGet, path: jobPath(id) + "/log", query: q}, &part)
	return part, err
}

// Actions is everything that can be started, with its newest jobs.
func (c *Client) Actions(ctx context.Context) (Actions, error) {
	var a Actions
	_, _, err := c.fetch(ctx, call{method: http.MethodGet, path: "/api/v1/actions"}, &a)
	return a, err
}

// Catalog is the inventory.
func (c *Client) Catalog(ctx context.Context) (Catalog, error) {
	var all Catalog
	_, _, err := c.fetch(ctx, call{method: http.MethodGet, path: "/api/v1/catalog"}, &all)
	return all, err
}

// Version says what the server is; the cheapest way to see whether one answers.
func (c *Client) Version(ctx context.Context) (Version, error) {
	var v Version
	_, _, err := c.fetch(ctx, call{method: http.MethodGet, path: "/api/v1/version"}, &v)
	return v, err
}

func jobPath(id job.ID) string { return "/api/v1/jobs/" + url.PathEscape(string(id)) }

// etag is the strong entity tag of a job at a revision.
func etag(id job.ID, rev job.Rev) string {
	return `"` + string(id) + "." + strconv.FormatUint(uint64(rev), 10) + `"`
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
