package api

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"telltale/backend/engine"
	"telltale/backend/job"
)

func (s *Server) getHealth(c *fiber.Ctx) error { return encodeJSON(c, Health{Status: "ok"}) }

// getReady answers whether work is accepted; an error's text is for the log.
func (s *Server) getReady(c *fiber.Ctx) error {
	err := s.Ready()
	if err == nil {
		err = s.life.Err()
	}
	var full *job.FullError
	switch {
	case err == nil:
		return encodeJSON(c, Health{Status: "ok"})
	case errors.As(err, &full), errors.Is(err, engine.ErrDraining):
		return err
	case s.life.Err() != nil:
		return errShutdown
	}
	r := refuse("not_ready", "Telltale does not accept work now.")
	r.cause = err
	return r
}

func (s *Server) getVersion(c *fiber.Ctx) error {
	ctx, cancel := s.work()
	defer cancel()
	head, err := s.Journal.Head(ctx)
	if err != nil {
		return err
	}
	v := s.Version
	v.Feed = head.Feed
	return encodeJSON(c, v)
}
