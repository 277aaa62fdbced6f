package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"telltale/backend/action"
	"telltale/backend/engine"
	"telltale/backend/feed"
	"telltale/backend/job"
)

// refusal is an error that knows how it is answered.
type refusal struct {
	code     string
	detail   string
	hint     string // replaces the table's when set
	instance string
	fields   []FieldFault
	header   map[string]string
	cause    error // for the log
}

func (r *refusal) Error() string {
	if r.cause != nil {
		return r.code + ": " + r.cause.Error()
	}
	return r.code + ": " + r.detail
}

func refuse(code, format string, args ...any) *refusal {
	return &refusal{code: code, detail: fmt.Sprintf(format, args...)}
}

// refuseField is a bad_request about one field.
func refuseField(field, format string, args ...any) *refusal {
	message := fmt.Sprintf(format, args...)
	return &refusal{code: "bad_request", detail: field + ": " + message, fields: []FieldFault{{Field: field, Message: message}}}
}

// refusalOf is the table from error to answer. What it does not know is our
// fault, and its text is for the log only.
func refusalOf(err error) *refusal {
	var (
		own      *refusal
		invalid  *job.InvalidIDError
		missing  *job.NotFoundError
		cursor   *job.InvalidCursorError
		reused   *job.KeyReusedError
		full     *job.FullError
		noAction *engine.UnknownActionError
		noTarget *engine.UnknownTargetError
		bind     *action.BindError
		busy     *engine.BusyError
		live     *engine.NotFinalError
		sealed   *engine.SealedError
		wire     *fiber.Error
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &invalid), errors.As(err, &missing):
		return refuse("not_found", "There is no such job.")
	case errors.As(err, &cursor):
		return refuse("bad_cursor", "The place to read on from is not one this server gave out.")
	case errors.As(err, &reused):
		r := refuse("idempotency_key_reused", "This Idempotency-Key was used for another request.")
		r.instance = jobPath(reused.First.Job.ID)
		return r
	case errors.As(err, &full):
		return refuse("storage_full", "The disk that keeps the jobs is full: %d MiB are free, %d MiB are needed.", full.Free>>20, full.Need>>20)
	case errors.As(err, &noAction):
		r := refuse("unknown_action", "There is no action with this name.")
		if noAction.Nearest != "" {
			r.hint = "Did you mean " + noAction.Nearest + "?"
		}
		return r
	case errors.As(err, &noTarget):
		r := refuse("unknown_target", "Action %s has no target with this name.", noTarget.Action)
		r.hint = "It has no targets at all: leave target out."
		if len(noTarget.Known) > 0 {
			r.hint = "Its targets are " + strings.Join(noTarget.Known, ", ") + "."
		}
		r.fields = []FieldFault{{Field: "target", Message: "is not a target of this action"}}
		return r
	case errors.As(err, &bind):
		r := refuse("bad_parameters", "The parameters do not fit the action.")
		for _, f := range bind.Fields {
			r.fields = append(r.fields, FieldFault{Field: f.Field, Message: f.Message})
		}
		return r
	case errors.As(err, &busy):
		r := refuse("busy", "The same action and target is already running, and the action does not allow a second run.")
		r.instance = jobPath(busy.Live.Job.ID)
		return r
	case errors.As(err, &live):
		r := refuse("not_final", "The job has not ended yet, so it cannot be run again.")
		r.instance = jobPath(live.Live.Job.ID)
		return r
	case errors.As(err, &sealed):
		return refuse("sealed", "The job was given a secret, which is not kept, so it cannot be run again as it was.")
	case errors.Is(err, engine.ErrDraining), errors.Is(err, errShutdown), errors.Is(err, feed.ErrClosed):
		r := refuse("draining", "Telltale is stopping and accepts nothing new.")
		r.header = map[string]string{"Retry-After": "5"}
		return r
	case errors.Is(err, context.DeadlineExceeded):
		r := refuse("timeout", "The answer took too long.")
		r.header = map[string]string{"Retry-After": "5"}
		return r
	case errors.As(err, &wire):
		return refusalOfWire(wire.Code)
	}
	return refuse("internal", "Something went wrong inside Telltale.")
}

// refusalOfWire is for what fasthttp refused before a handler was reached. Its
// own words may echo the request and are not repeated.
func refusalOfWire(status int) *refusal {
	switch status {
	case http.StatusRequestEntityTooLarge:
		return refuse("body_too_large", "The body has more than %d bytes.", maxBody)
	case http.StatusRequestHeaderFieldsTooLarge:
		return refuse("headers_too_large", "The address and headers have more than %d bytes.", maxHead)
	case http.StatusRequestTimeout:
		return refuse("request_timeout", "The request did not arrive in %s.", readTimeout)
	}
	return refuse("bad_request", "This is not a well-formed HTTP request.")
}

// answerError answers an error as a problem (RFC 9457). It is Fiber's error
// handler too, and returns nil.
func (s *Server) answerError(c *fiber.Ctx, err error) error {
	r := refusalOf(err)
	f := faultOf(r.code)
	id := s.requestID(c)
	if f.status >= http.StatusInternalServerError {
		s.logFault(id, err, f)
	}
	body := problemBody(r, f, id)
	c.Response().ResetBody()
	setHeaders(c)
	c.Set(fiber.HeaderXRequestID, id)
	c.Set(fiber.HeaderContentType, problemType)
	for name, value := range r.header {
		c.Set(name, value)
	}
	c.Status(f.status)
	c.Response().SetBodyRaw(body)
	return nil
}

// logFault is where a fault that a client only sees the code of is told in full.
func (s *Server) logFault(id string, err error, f fault) {
	level := slog.LevelWarn
	if f.status == http.StatusInternalServerError {
		level = slog.LevelError
	}
	attrs := []slog.Attr{slog.String(requestKey, id), slog.String("code", f.code), slog.String("error", err.Error())}
	if p, ok := errors.AsType[*panicError](err); ok {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	s.Log.LogAttrs(context.Background(), level, "request failed", attrs...)
}

func problemBody(r *refusal, f fault, requestID string) []byte {
	hint := f.hint
	if r.hint != "" {
		hint = r.hint
	}
	b, err := json.Marshal(Problem{
		Type: "/docs#" + f.code, Title: f.title, Status: f.status, Detail: r.detail, Instance: r.instance,
		Code: f.code, Hint: hint, RequestID: requestID, Errors: r.fields,
	})
	if err != nil {
		return []byte(`{"code":"internal","status":` + strconv.Itoa(f.status) + `}`) // texts and numbers always encode
	}
	return b
}
