package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"telltale/backend/job"
)

// matcher decides whether a job is one a filter asks for.
type matcher struct {
	f     job.Filter
	text  string // lower case, "" for any
	plain []byte // a part of text that stands in JSON as it is, lower case
	skew  time.Duration
}

func newMatcher(f job.Filter, skew time.Duration) *matcher {
	m := &matcher{f: f, text: strings.ToLower(f.Text), skew: skew}
	m.plain = longestPlain(m.text)
	return m
}

// job decides on a live job, by all of the filter.
func (m *matcher) job(j *job.Job) bool {
	f := m.f
	return allows(f.Actions, j.Action) && allows(f.Targets, j.Target) && allows(f.States, j.State) &&
		allows(f.By, j.Trigger.By) && m.time(j.CreatedAt) && m.words(&words{
		Title: j.Title, Summary: j.Summary, Phase: j.Phase, Error: j.Error,
	})
}

func allows[T comparable](values []T, v T) bool {
	return len(values) == 0 || slices.Contains(values, v)
}

func (m *matcher) time(at time.Time) bool {
	return (m.f.Since.IsZero() || !at.Before(m.f.Since)) && (m.f.Until.IsZero() || at.Before(m.f.Until))
}

// words are the fields free text looks into.
type words struct {
	Title     string     `json:"title"`
	Summary   string     `json:"summary"`
	Phase     string     `json:"phase"`
	Error     *job.Error `json:"error"`
	CreatedAt time.Time  `json:"created_at"`
}

func (m *matcher) words(w *words) bool {
	if m.text == "" {
		return true
	}
	for _, s := range []string{w.Title, w.Summary, w.Phase} {
		if strings.Contains(strings.ToLower(s), m.text) {
			return true
		}
	}
	return w.Error != nil && (strings.Contains(strings.ToLower(w.Error.Message), m.text) ||
		strings.Contains(strings.ToLower(w.Error.Hint), m.text) ||
		strings.Contains(strings.ToLower(w.Error.Code), m.text))
}

// record decides on a final job whose indexed fields match. It decodes only
// what it must: most records are settled by the time in their id, or by not
// holding the text anywhere.
func (m *matcher) record(id rawID, data []byte) (bool, error) {
	made := time.UnixMilli(idMillis(id))
	sure := (m.f.Since.IsZero() || made.Add(-m.skew).After(m.f.Since)) &&
		(m.f.Until.IsZero() || made.Add(m.skew).Before(m.f.Until))
	if sure && m.text == "" {
		return true, nil
	}
	if len(m.plain) > 0 && !containsFold(data, m.plain) {
		return false, nil
	}
	var w words
	if err := json.Unmarshal(data, &w); err != nil {
		return false, fmt.Errorf("job %s: %w", id.id(), err)
	}
	return m.time(w.CreatedAt) && m.words(&w), nil
}

// from is the greatest id that can match, to the least one.
func (m *matcher) bounds() (least, greatest rawID) {
	greatest = maxID
	if !m.f.Until.IsZero() {
		greatest = idAt(m.f.Until.Add(m.skew+time.Millisecond), 0xff)
	}
	if !m.f.Since.IsZero() {
		least = idAt(m.f.Since.Add(-m.skew-time.Millisecond), 0)
	}
	return least, greatest
}

// idMillis is the time in an id, in Unix milliseconds.
func idMillis(id rawID) int64 {
	ms := int64(0)
	for _, b := range id[:6] {
		ms = ms<<8 | int64(b)
	}
	return ms
}

// idAt is the id of an instant whose other bytes are all fill.
func idAt(t time.Time, fill byte) rawID {
	id := rawID(bytes.Repeat([]byte{fill}, 16))
	ms := max(t.UnixMilli(), 0)
	for i := 5; i >= 0; i-- {
		id[i] = byte(ms)
		ms >>= 8
	}
	return id
}

// longestPlain is the longest stretch of s whose bytes JSON never escapes.
func longestPlain(s string) []byte {
	best, start := "", 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && isPlain(s[i]) {
			continue
		}
		if i-start > len(best) {
			best = s[start:i]
		}
		start = i + 1
	}
	return []byte(best)
}

func isPlain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte(" .,:;-_/()#=", c) >= 0
}

// containsFold reports whether lower, which is plain, stands in b in any case.
func containsFold(b, lower []byte) bool {
	first := lower[0]
	upper := first
	if first >= 'a' && first <= 'z' {
		upper -= 'a' - 'A'
	}
	for len(b) >= len(lower) {
		at := bytes.IndexByte(b, first)
		if upper != first {
			end := len(b)
			if at >= 0 {
				end = at
			}
			if up := bytes.IndexByte(b[:end], upper); up >= 0 {
				at = up
			}
		}
		if at < 0 || len(b)-at < len(lower) {
			return false
		}
		if bytes.EqualFold(b[at:at+len(lower)], lower) {
			return true
		}
		b = b[at+1:]
	}
	return false
}
