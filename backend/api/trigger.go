package api

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"telltale/backend/engine"
	"telltale/backend/job"
)

// startJob hands a trigger to the engine.
func (s *Server) startJob(c *fiber.Ctx) error {
	name, err := pathText(c, "action")
	if err != nil {
		return err
	}
	key, err := givenKey(c)
	if err != nil {
		return err
	}
	body, err := decode[TriggerBody](c.Request().Body())
	if err != nil {
		return err
	}
	via, err := body.check()
	if err != nil {
		return err
	}
	ctx, cancel := s.work()
	defer cancel()
	receipt, err := s.Engine.Submit(ctx, s.principal(c), engine.Request{
		Action: name, Target: body.Target, Params: body.Params, Key: key, Via: via, Reason: body.Reason,
	})
	if err != nil {
		return err
	}
	return sendReceipt(c, receipt)
}

// check returns the way in. A client cannot claim to be the clock or a flow.
func (b TriggerBody) check() (job.Via, error) {
	if utf8.RuneCountInString(b.Reason) > maxReason {
		return "", refuseField("reason", "has more than %d characters", maxReason)
	}
	if strings.ContainsFunc(b.Reason, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		return "", refuseField("reason", "holds control characters")
	}
	switch b.Via {
	case "":
		return job.ViaAPI, nil
	case job.ViaAPI, job.ViaButton, job.ViaCLI:
		return b.Via, nil
	case job.ViaSchedule, job.ViaFlow, job.ViaRetry, job.ViaStartup:
	}
	return "", refuseField("via", "must be button, api or cli")
}

// retryJob runs a final job again.
func (s *Server) retryJob(c *fiber.Ctx) error {
	id, err := pathJob(c)
	if err != nil {
		return err
	}
	key, err := givenKey(c)
	if err != nil {
		return err
	}
	if _, err := decode[struct{}](c.Request().Body()); err != nil {
		return err
	}
	ctx, cancel := s.work()
	defer cancel()
	receipt, err := s.Engine.Retry(ctx, s.principal(c), id, key)
	if err != nil {
		return err
	}
	return sendReceipt(c, receipt)
}

// cancelJob asks for a job to be stopped.
func (s *Server) cancelJob(c *fiber.Ctx) error {
	id, err := pathJob(c)
	if err != nil {
		return err
	}
	if _, err := decode[struct{}](c.Request().Body()); err != nil {
		return err
	}
	ctx, cancel := s.work()
	defer cancel()
	e, err := s.Engine.Cancel(ctx, s.principal(c), id)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderETag, etag(id, e.Job.Rev))
	return sendJob(c, http.StatusAccepted, e)
}

func sendReceipt(c *fiber.Ctx, r engine.Receipt) error {
	status := http.StatusOK
	if r.Answer == engine.Started {
		status = http.StatusAccepted
	}
	id := r.Event.Job.ID
	c.Set(fiber.HeaderLocation, jobPath(id))
	c.Set(fiber.HeaderETag, etag(id, r.Event.Job.Rev))
	return sendJob(c, status, r.Event)
}

// givenKey is the Idempotency-Key, with or without the quotes that the draft
// standard asks for; "" when there is none.
func givenKey(c *fiber.Ctx) (string, error) {
	all := c.Request().Header.PeekAll("Idempotency-Key")
	if len(all) == 0 {
		return "", nil
	}
	key := string(all[0])
	if inner, quoted := strings.CutPrefix(key, `"`); quoted && strings.HasSuffix(inner, `"`) {
		key = strings.TrimSuffix(inner, `"`)
	}
	printable := !strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' })
	if len(all) > 1 || key == "" || len(key) > maxKey || !printable {
		return "", refuseField("Idempotency-Key", "must be given once, with 1 to %d printable ASCII characters", maxKey)
	}
	return key, nil
}
