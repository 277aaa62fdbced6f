package api

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"telltale/backend/job"
)

// Follower hears how a job goes. Its functions are called one at a time; nil
// ones are not called.
type Follower struct {
	// Changed hears every newer revision that arrived, the final one always. An
	// error ends Follow.
	Changed func(job.Event) error
	// Link hears nil when the job is watched, and why when the link was lost;
	// Follow goes on by itself.
	Link func(lost error)
	// Patience is how long the server may stay unreachable before Follow gives
	// up with ErrUnreachable. Zero is for ever.
	Patience time.Duration
}

// errSilent says that a stream that should have said something did not.
var errSilent = errors.New("the stream fell silent")

// Follow watches a job until it has ended and returns its final event. It uses
// the event stream, goes on after a cut where it was, and polls while streams
// fail, as behind a proxy that holds them back.
func (c *Client) Follow(ctx context.Context, id job.ID, f Follower) (job.Event, error) {
	w := &watch{client: c, id: id, follower: f}
	failed := 0
	if w.done(w.poll(ctx, 0)) { // also says that there is no such job; a stream would be silent
		return w.newest, w.refused
	}
	for {
		live, err := w.stream(ctx)
		if w.done(err) {
			return w.newest, w.refused
		}
		if ctx.Err() != nil {
			return w.newest, context.Cause(ctx)
		}
		w.link(err)
		if failed++; live {
			failed = 1
		}
		hold := time.Duration(0)
		if failed > 2 {
			hold = c.pace.hold
		}
		err = w.poll(ctx, hold)
		if w.done(err) || w.impatient(err) {
			return w.newest, w.refused
		}
		if err := pause(ctx, c.backoff(failed)); err != nil {
			return w.newest, err
		}
	}
}

// watch is one Follow.
type watch struct {
	client   *Client
	id       job.ID
	follower Follower
	newest   job.Event
	cursor   string
	lost     bool
	gone     time.Time // since when the server is unreachable; zero while it answers
	refused  error
}

// stream reads one event stream until it is cut, the job has ended, or the
// follower refuses. live reports that it said hello.
func (w *watch) stream(ctx context.Context) (live bool, err error) {
	header := map[string]string{}
	if w.cursor != "" {
		header["Last-Event-ID"] = w.cursor
	}
	query := url.Values{"topics": {"job:" + string(w.id)}}
	err = w.client.blocks(ctx, "/api/v1/events", query, header, func(b block) error {
		switch b.event {
		case "hello":
			live = true
			w.link(nil)
		case "reset":
			w.newest, w.cursor = job.Event{}, ""
		case "job":
			var e JobEvent
			if err := json.Unmarshal(b.data, &e); err != nil {
				return err
			}
			event, err := e.Job.Event()
			if err != nil {
				return err
			}
			event.Seq = e.Seq
			if b.hasID {
				w.cursor = b.id
			}
			return w.take(event)
		}
		return nil
	})
	return live, err
}

func (w *watch) poll(ctx context.Context, hold time.Duration) error {
	e, err := w.client.Wait(ctx, w.id, w.newest.Job.Rev, hold)
	if err != nil {
		return err
	}
	w.gone = time.Time{}
	return w.take(e)
}

// errEnded ends a stream whose job is final.
var errEnded = errors.New("the job has ended")

func (w *watch) take(e job.Event) error {
	if e.Job.ID != w.id || e.Job.Rev <= w.newest.Job.Rev {
		return nil
	}
	w.newest = e
	if w.follower.Changed != nil {
		if err := w.follower.Changed(e); err != nil {
			w.refused = err
			return err
		}
	}
	if e.Job.State.Final() {
		return errEnded
	}
	return nil
}

// done reports that there is nothing more to watch; w.refused says why, unless
// the job has ended.
func (w *watch) done(err error) bool {
	var problem *Problem
	if errors.As(err, &problem) && problem.Status >= 400 && problem.Status < 500 && problem.Status != http.StatusRequestTimeout {
		w.refused = err
	}
	return w.refused != nil || w.newest.Job.State.Final()
}

// impatient reports that the server was unreachable for too long.
func (w *watch) impatient(err error) bool {
	if !errors.Is(err, ErrUnreachable) {
		return false
	}
	now := time.Now()
	if w.gone.IsZero() {
		w.gone = now
	}
	if p := w.follower.Patience; p > 0 && now.Sub(w.gone) >= p {
		w.refused = err
	}
	return w.refused != nil
}

func (w *watch) link(lost error) {
	if w.follower.Link != nil && (lost != nil || w.lost) {
		w.follower.Link(lost)
	}
	w.lost = lost != nil
	if lost == nil {
		w.gone = time.Time{}
	}
}

// FollowLog calls fn for every line of a job's log from line number from, in
// order, each once, until the job has ended and all was read or fn fails. Next
// is the number of the line after the last one. It goes on after a cut.
func (c *Client) FollowLog(ctx context.Context, id job.ID, from int64, fn func(job.Line) error) (next int64, err error) {
	next = max(from, 1)
	for failed := 1; ; failed++ {
		ended, refused := false, error(nil)
		header := map[string]string{"Last-Event-ID": strconv.FormatInt(next-1, 10)}
		err = c.blocks(ctx, jobPath(id)+"/log", nil, header, func(b block) error {
			switch b.event {
			case "line":
				var l job.Line
				if err := json.Unmarshal(b.data, &l); err != nil {
					return err
				}
				if l.N < next {
					return nil
				}
				next, failed = l.N+1, 1
				refused = fn(l)
				return refused
			case "end":
				ended = true
				return errEnded
			}
			return nil
		})
		var problem *Problem
		switch {
		case ended:
			return next, nil
		case refused != nil:
			return next, refused
		case errors.As(err, &problem) && problem.Status < 500:
			return next, err
		case failed >= 8*c.pace.attempts:
			return next, err
		}
		if err := pause(ctx, c.backoff(failed)); err != nil {
			return next, err
		}
	}
}

// blocks reads a stream and hands over its events until it ends, fn fails, or
// nothing came for too long. It never returns nil.
func (c *Client) blocks(ctx context.Context, path string, query url.Values, header map[string]string, fn func(block) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := time.AfterFunc(c.pace.silence, func() { cancel(errSilent) })
	defer silent.Stop()
	header["Accept"] = streamType
	answer, err := c.send(ctx, call{method: http.MethodGet, path: path, query: query, header: header})
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	in := newBlockReader(answer.Body)
	for {
		b, err := in.next()
		if err != nil {
			return unreachable(ctx, err)
		}
		silent.Reset(c.pace.silence)
		if err := fn(b); err != nil {
			return err
		}
	}
}

// backoff is a random pause that may grow with every failure in a row.
func (c *Client) backoff(failed int) time.Duration {
	most := min(c.pace.slowest, c.pace.backoff<<min(failed-1, 10))
	return c.pace.backoff/2 + rand.N(most)
}
