package api

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// requestKey finds the request's id in the fiber context.
const requestKey = "request_id"

// panicError is a fault of ours, caught.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// guard stands before every route: it names the request, refuses what must not
// come in, catches panics, and writes the access log.
func (s *Server) guard(c *fiber.Ctx) error {
	begun := time.Now()
	err := s.pass(c)
	if err != nil {
		_ = s.answerError(c, err)
	}
	s.logAccess(c, time.Since(begun))
	return nil
}

func (s *Server) pass(c *fiber.Ctx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &panicError{value: r, stack: debug.Stack()}
		}
	}()
	setHeaders(c)
	c.Set(fiber.HeaderXRequestID, s.requestID(c))
	if err := s.checkHost(c); err != nil {
		return err
	}
	if len(c.Request().RequestURI()) > maxURL {
		return refuse("url_too_long", "The address has %d bytes; %d are allowed.", len(c.Request().RequestURI()), maxURL)
	}
	if unsafeMethod(c.Method()) {
		if err := checkSite(c); err != nil {
			return err
		}
		if err := checkBody(c); err != nil {
			return err
		}
	}
	return c.Next()
}

// requestID names the request: the life of this server and a number.
func (s *Server) requestID(c *fiber.Ctx) string {
	if id, ok := c.Locals(requestKey).(string); ok {
		return id
	}
	id := s.prefix + "-" + strconv.FormatUint(s.count.Add(1), 10)
	c.Locals(requestKey, id)
	return id
}

// setHeaders tells the browser how little to allow.
func setHeaders(c *fiber.Ctx) {
	h := &c.Response().Header
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
		"font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("X-Frame-Options", "DENY")
}

func unsafeMethod(method string) bool {
	switch method {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions:
		return false
	}
	return true
}

// checkSite refuses what another site's page sends in its visitor's name, by the
// rules of net/http.CrossOriginProtection: a browser says where a request comes
// from, a program says nothing.
func checkSite(c *fiber.Ctx) error {
	h := &c.Request().Header
	switch site := string(h.Peek("Sec-Fetch-Site")); site {
	case "same-origin", "none":
		return nil
	case "":
	default:
		return refuse("cross_site", "A page of another site asked for this.")
	}
	origin := string(h.Peek("Origin"))
	if origin == "" {
		return nil
	}
	if u, err := url.Parse(origin); err == nil && u.Host != "" && strings.EqualFold(u.Host, string(h.Host())) {
		return nil
	}
	return refuse("cross_site", "A page of another site asked for this.")
}

// checkBody refuses a body that is not plain JSON. Its size was checked while it
// was read.
func checkBody(c *fiber.Ctx) error {
	h := &c.Request().Header
	if twoLengths(h.RawHeaders()) {
		c.Context().SetConnectionClose()
		return refuse("bad_request", "The request says twice how long it is.")
	}
	if coding := h.Peek("Content-Encoding"); len(coding) > 0 {
		return refuse("unsupported_media_type", "A compressed body is not accepted.")
	}
	kind, _, _ := strings.Cut(string(h.ContentType()), ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	if kind == jsonType || (kind == "" && len(c.Request().Body()) == 0) {
		return nil
	}
	return refuse("unsupported_media_type", "The body must be JSON.")
}

// twoLengths finds both Content-Length and Transfer-Encoding, which RFC 9112,
// section 6.3, calls an attempt at smuggling.
func twoLengths(head []byte) bool {
	found := 0
	for line := range bytes.Lines(head) {
		name, _, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("content-length")) || bytes.EqualFold(name, []byte("transfer-encoding")) {
			found++
		}
	}
	return found > 1
}

// logAccess notes who did what. Queries and bodies may hold what is nobody's
// business and are left out.
func (s *Server) logAccess(c *fiber.Ctx, took time.Duration) {
	level := slog.LevelDebug
	if unsafeMethod(c.Method()) {
		level = slog.LevelInfo
	}
	if !s.Log.Enabled(s.life, level) {
		return
	}
	s.Log.LogAttrs(s.life, level, "request answered",
		slog.String(requestKey, s.requestID(c)), slog.String("method", printable(c.Method())),
		slog.String("path", printable(c.Path())), slog.Int("status", c.Response().StatusCode()),
		slog.Duration("took", took), slog.String("by", s.principal(c).Name))
}

// printable is s fit for a log line: no control characters, at most 200 bytes.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == '\u2028' || r == '\u2029' {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}

// onlyKnownMethods answers methods that Fiber does not know as everything else
// is answered; Fiber itself would answer plain text without any header.
func onlyKnownMethods(s *Server, next fasthttp.RequestHandler) fasthttp.RequestHandler {
	known := map[string]bool{}
	for _, m := range fiber.DefaultMethods {
		known[m] = true
	}
	return func(ctx *fasthttp.RequestCtx) {
		if known[string(ctx.Method())] {
			next(ctx)
			return
		}
		c := s.app.AcquireCtx(ctx)
		defer s.app.ReleaseCtx(c)
		ctx.SetConnectionClose()
		_ = s.answerError(c, refuse("bad_request", "This method is not one of HTTP's."))
	}
}
