package job

import "time"

// Stream says where a log line came from.
type Stream string

// The streams of a log. System lines are Telltale's own words.
const (
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
	System Stream = "system"
)

// Line is one line of a job's log. N counts the lines of the job from 1 without
// a gap, also over lines that were dropped later; the store sets it. Text is
// valid UTF-8 without line ends and without NUL, at most 64 KiB.
type Line struct {
	N      int64     `json:"n"`
	At     time.Time `json:"at"`
	Stream Stream    `json:"stream" enum:"stdout,stderr,system"`
	Text   string    `json:"text"`
}

// LogStat is how much a job wrote: all lines and bytes, also what is no longer
// kept. Truncated is true when the middle was dropped to keep within the quota.
type LogStat struct {
	Lines     int64 `json:"lines"`
	Bytes     int64 `json:"bytes"`
	Truncated bool  `json:"truncated,omitempty"`
}

// LogPart is a stretch of a log. Next is the number of the line after the last
// one looked at: where to read on. Dropped counts lines between the first asked
// for and Next that are no longer kept.
type LogPart struct {
	Lines   []Line `json:"lines"`
	Next    int64  `json:"next"`
	Dropped int64  `json:"dropped,omitempty"`
}
