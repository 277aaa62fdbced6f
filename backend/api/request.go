package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"telltale/backend/job"
)

// pathText is a path parameter, decoded once. What no name of ours can contain
// is not found: slashes, control characters, bytes that are not UTF-8.
func pathText(c *fiber.Ctx, name string) (string, error) {
	text, err := url.PathUnescape(c.Params(name))
	if err != nil || text == "" || len(text) > maxText || !plainText(text) || strings.ContainsAny(text, `/\`) {
		return "", refuse("not_found", "There is nothing at this address.")
	}
	return text, nil
}

func pathJob(c *fiber.Ctx) (job.ID, error) {
	text, err := pathText(c, "id")
	if err != nil {
		return "", err
	}
	return job.ParseID(text)
}

// plainText reports valid UTF-8 without control characters.
func plainText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// query is a request's query, checked against the route's table: unknown names
// are refused, because a filter that is silently ignored answers the wrong
// question.
type query struct {
	values url.Values
	err    error // the first fault
}

func queryOf(c *fiber.Ctx, known ...string) *query {
	q := &query{}
	values, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		q.err = refuse("bad_request", "The query of the address is not well-formed.")
		return q
	}
	q.values = values
	for name, all := range values {
		if !slices.Contains(known, name) {
			q.fail(printable(name), "is not known; there are %s", strings.Join(known, ", "))
		}
		if len(all) > maxTopics {
			q.fail(name, "is given %d times, at most %d are allowed", len(all), maxTopics)
		}
		for _, v := range all {
			if !plainText(v) {
				q.fail(name, "holds control characters or bytes that are not UTF-8")
			}
		}
	}
	return q
}

func (q *query) fail(name, format string, args ...any) {
	if q.err == nil {
		q.err = refuseField(name, format, args...)
	}
}

// text is a value that is given once.
func (q *query) text(name string) string {
	all := q.values[name]
	if len(all) > 1 {
		q.fail(name, "is given more than once")
	}
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// words are short values that may be repeated.
func (q *query) words(name string) []string {
	for _, v := range q.values[name] {
		if len(v) > maxText {
			q.fail(name, "is longer than %d bytes", maxText)
		}
	}
	return q.values[name]
}

func (q *query) number(name string, otherwise, least, most int64) int64 {
	text := q.text(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		q.fail(name, "must be a whole number from %d to %d", least, most)
		return otherwise
	}
	return n
}

func (q *query) instant(name string) time.Time {
	text := q.text(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1 || t.Year() > 9999 {
		q.fail(name, "must be a time such as 2026-11-24T12:00:00Z")
		return time.Time{}
	}
	return t.UTC()
}

// accepts is the offer the Accept header likes best (RFC 9110, section 12.5.1):
// the first one when it says nothing, "" when it likes none.
func accepts(header string, offers ...string) string {
	if strings.TrimSpace(header) == "" {
		return offers[0]
	}
	best, bestQ, bestFit := "", 0.0, 0
	for _, offer := range offers {
		q, fit := quality(header, offer)
		if q > bestQ || (q == bestQ && q > 0 && fit > bestFit) {
			best, bestQ, bestFit = offer, q, fit
		}
	}
	return best
}

// quality is how much an Accept header likes an offer, and how exactly the range
// that says so names it (3 exact, 2 its type, 1 anything).
func quality(header, offer string) (q float64, fit int) {
	kind, _, _ := strings.Cut(offer, "/")
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		f := 0
		switch strings.ToLower(strings.TrimSpace(name)) {
		case offer:
			f = 3
		case kind + "/*":
			f = 2
		case "*/*":
			f = 1
		}
		if f <= fit {
			continue
		}
		q, fit = weight(params), f
	}
	return q, fit
}

func weight(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		if w, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && w >= 0 && w <= 1 {
			return w
		}
		return 0
	}
	return 1
}

// preferWait reads Prefer: wait=seconds (RFC 7240), at most maxWait; 0 when it
// is not asked for.
func preferWait(header string) time.Duration {
	for part := range strings.SplitSeq(header, ",") {
		pref, _, _ := strings.Cut(part, ";")
		name, value, _ := strings.Cut(pref, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31)
		if err != nil {
			return 0
		}
		return min(time.Duration(n)*time.Second, maxWait)
	}
	return 0
}

// matches reports that an If-None-Match header names the tag, by the weak
// comparison of RFC 9110, section 8.8.3.2.
func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}
