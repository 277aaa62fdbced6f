package api

import (
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/backend/feed"
	"telltale/backend/job"
)

// ask is what a reader of the feed wants.
type ask struct {
	interest feed.Interest
	from     job.Cursor // go on after this; zero for the present
	lost     bool       // the place it had is none of ours: it must forget
	wait     time.Duration
}

// readEvents answers the feed, as a stream or as a long-poll.
func (s *Server) readEvents(c *fiber.Ctx) error {
	c.Vary(fiber.HeaderAccept)
	media := accepts(c.Get(fiber.HeaderAccept), streamType, jsonType)
	if media == "" {
		return refuse("not_acceptable", "The feed is given as %s or %s.", streamType, jsonType)
	}
	a, err := askOf(c, media)
	if err != nil {
		return err
	}
	if media == jsonType {
		return s.pollEvents(c, a)
	}
	return s.streamEvents(c, a)
}

func askOf(c *fiber.Ctx, media string) (ask, error) {
	q := queryOf(c, "topics", "job", "action", "last_event_id", "since", "wait")
	topics := strings.Split(q.text("topics"), ",")
	for _, id := range q.words("job") {
		topics = append(topics, "job:"+id)
	}
	actions := q.words("action")
	wait := q.number("wait", 0, 0, int64(maxWait/time.Second))
	since, seen := q.text("since"), q.text("last_event_id")
	if q.err != nil {
		return ask{}, q.err
	}
	i, err := interestOf(topics)
	if err != nil {
		return ask{}, err
	}
	if !i.Jobs && len(i.Job) == 0 && len(i.Log) == 0 {
		i.Jobs = true
	}
	i.Actions = setOf(actions)
	a := ask{interest: i, wait: time.Duration(wait) * time.Second}
	if a.from, err = job.ParseCursor(since); err != nil {
		return ask{}, err
	}
	if header := c.Get("Last-Event-ID"); header != "" {
		seen = header
	}
	if seen != "" && media == streamType {
		// A browser sends back whatever id it was given last, also by another
		// server at this address, and cannot be told that it is wrong.
		from, err := job.ParseCursor(seen)
		a.from, a.lost = from, err != nil
	}
	return a, nil
}

// interestOf reads topics; empty ones are passed over.
func interestOf(topics []string) (feed.Interest, error) {
	i := feed.Interest{Job: map[job.ID]bool{}, Log: map[job.ID]bool{}}
	if len(topics) > maxTopics+1 {
		return i, refuse("bad_topic", "These are %d topics; at most %d are allowed.", len(topics), maxTopics)
	}
	for _, t := range topics {
		kind, name, named := strings.Cut(strings.TrimSpace(t), ":")
		switch {
		case kind == "" && !named:
			continue
		case kind == "jobs" && !named:
			i.Jobs = true
			continue
		}
		id, err := job.ParseID(name)
		if err != nil || (kind != "job" && kind != "log") {
			return i, refuse("bad_topic", "One of the topics is not one: %s.", printable(t))
		}
		if kind == "job" {
			i.Job[id] = true
		} else {
			i.Log[id] = true
		}
	}
	return i, nil
}

func setOf(words []string) map[string]bool {
	set := map[string]bool{}
	for _, w := range words {
		set[w] = true
	}
	return set
}

// wants reports that a reader of the interest is told of the change.
func wants(i feed.Interest, e job.Event) bool {
	if i.Job[e.Job.ID] {
		return true
	}
	return i.Jobs && (len(i.Actions) == 0 || i.Actions[e.Job.Action])
}

// setTopics replaces what a stream tells.
func (s *Server) setTopics(c *fiber.Ctx) error {
	id, err := pathText(c, "stream")
	if err != nil {
		return err
	}
	body, err := decode[Topics](c.Request().Body())
	if err != nil {
		return err
	}
	i, err := interestOf(body.Topics)
	if err != nil {
		return err
	}
	stream, open := s.Hub.Stream(id)
	if !open {
		return refuse("not_found", "There is no open stream with this name.")
	}
	stream.SetInterest(i)
	if err := s.show(stream, i); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// show tells a stream how the jobs it names stand. It is called after the
// stream hears of changes, so that none falls between; a reader keeps the
// greatest revision.
func (s *Server) show(stream *feed.Stream, i feed.Interest) error {
	ctx, cancel := s.work()
	defer cancel()
	for _, id := range sortedIDs(i) {
		e, err := s.Records.Get(ctx, id)
		if missing(err) {
			continue
		}
		if err != nil {
			return err
		}
		stream.Show(e)
	}
	return nil
}

func sortedIDs(i feed.Interest) []job.ID {
	ids := make([]job.ID, 0, len(i.Job))
	for id := range i.Job {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
