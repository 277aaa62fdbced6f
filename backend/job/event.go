package job

import (
	"strconv"
	"strings"
)

// Event tells of one change: the whole job after it, and its place in the feed.
// There are no deltas; a missed event is repaired by the next one.
type Event struct {
	// Seq numbers the changes of one feed from 1, without a gap.
	Seq uint64
	// Job is the job after the change.
	Job Job
	// Data is Job as it is stored and sent, encoded once. Do not change it.
	Data []byte
	// Minor is true when only phase, progress, steps, warnings or the log moved:
	// the job is in the state it was in, and nobody asked for anything.
	Minor bool
}

// Cursor is a place in a feed: the feed's name and the last Seq seen, written
// "<feed>.<seq>". It is the id of a server-sent event and every node's
// bookmark. The zero Cursor is the beginning of time.
type Cursor struct {
	Feed string
	Seq  uint64
}

// String is the cursor as it is sent, or "" for the zero Cursor.
func (c Cursor) String() string {
	if c == (Cursor{}) {
		return ""
	}
	return c.Feed + "." + strconv.FormatUint(c.Seq, 10)
}

// ParseCursor reads what String wrote. "" is the zero Cursor; anything else
// that String cannot write is an *InvalidCursorError.
func ParseCursor(s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	feed, digits, found := strings.Cut(s, ".")
	seq, err := strconv.ParseUint(digits, 10, 64)
	c := Cursor{Feed: feed, Seq: seq}
	if !found || err != nil || !feedName(feed) || c.String() != s {
		return Cursor{}, &InvalidCursorError{Text: s}
	}
	return c, nil
}

func feedName(s string) bool {
	if len(s) == 0 || len(s) > 32 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
