package api

import (
	"context"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/backend/job"
)

// pollEvents answers what happened since a place in the feed; with wait it holds
// the answer until something did. Without a place it answers the present.
func (s *Server) pollEvents(c *fiber.Ctx, a ask) error {
	ctx, cancel := context.WithTimeout(s.life, max(a.wait, time.Millisecond))
	defer cancel()
	box := s.Hub.Subscribe(a.interest) // first, so that nothing falls between
	defer box.Close()
	for {
		look, done := s.work()
		p, err := s.past(look, a)
		done()
		if err != nil {
			return err
		}
		first := a.from == (job.Cursor{})
		if len(p.events) > 0 || p.lost || first || a.wait == 0 {
			return sendJSON(c, changesBody(p))
		}
		a.from = p.head // nothing of interest up to here
		// The mailbox is only the bell: what is answered is read from the journal, so
		// that it is whole and in order whatever was conflated here.
		item, err := box.Next(ctx)
		for err == nil && item.Event.Seq <= a.from.Seq {
			item, err = box.Next(ctx)
		}
		if err != nil {
			return sendJSON(c, changesBody(p))
		}
	}
}

func changesBody(p past) []byte {
	if len(p.events) > maxPoll && !p.lost {
		p.events = p.events[:maxPoll]
		p.head.Seq = p.events[maxPoll-1].Seq
	}
	size := 128
	for _, e := range p.events {
		size += len(e.Data) + 40
	}
	body := append(make([]byte, 0, size), `{"events":[`...)
	for i, e := range p.events {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, `{"seq":`...)
		body = strconv.AppendUint(body, e.Seq, 10)
		body = append(body, `,"job":`...)
		body = append(body, e.Data...)
		body = append(body, '}')
	}
	body = append(body, `],"head":"`...)
	body = append(body, p.head.String()...)
	body = append(body, `","reset":`...)
	body = strconv.AppendBool(body, p.lost)
	return append(body, '}')
}
