package feed

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"telltale/backend/job"
)

// The functions below write the blocks of a text/event-stream (WHATWG HTML,
// section 9.2): line feeds only, each block whole with its blank line, data
// always one line of JSON, no id without data. They append to dst and return it.

// padding is what fills the first buffer of a small proxy, in bytes.
const padding = 2 << 10

// minRetry is the least reconnection time ever sent: with 0 two of three
// browser engines reconnect in a tight loop.
const minRetry = time.Second

// Hello is the first event of a stream. A reader is live only once it came.
type Hello struct {
	Stream      string     // names the stream, see Hub.Stream
	Now         time.Time  // the server's clock
	Head        job.Cursor // the place of the feed the stream starts at
	ResumedFrom job.Cursor // the place the reader asked to resume after, if it did
	Lost        bool       // true when what followed ResumedFrom is no longer kept
}

// AppendHello appends the event hello, without an id.
func AppendHello(dst []byte, h Hello) []byte {
	return appendEvent(dst, "hello", struct {
		Stream      string    `json:"stream"`
		Now         time.Time `json:"now"`
		Head        string    `json:"head"`
		ResumedFrom string    `json:"resumed_from"`
		Lost        bool      `json:"lost"`
	}{h.Stream, stamp(h.Now), h.Head.String(), h.ResumedFrom.String(), h.Lost})
}

// AppendReset appends the event reset: forget what you know, the present follows.
func AppendReset(dst []byte) []byte {
	return append(dst, "event: reset\ndata: {}\n\n"...)
}

// AppendJobEvent appends the event job: id "<feed>.<seq>", data
// {"seq":N,"job":<e.Data>}. Without e.Data the job is encoded here.
func AppendJobEvent(dst []byte, feed string, e job.Event) []byte {
	dst = append(dst, "event: job\nid: "...)
	dst = append(dst, feed...)
	dst = append(dst, '.')
	dst = strconv.AppendUint(dst, e.Seq, 10)
	return appendJob(append(dst, '\n'), e)
}

// appendShown is a job event without an id: it tells a job's present out of
// turn and does not move the place the reader resumes after.
func appendShown(dst []byte, e job.Event) []byte {
	return appendJob(append(dst, "event: job\n"...), e)
}

func appendJob(dst []byte, e job.Event) []byte {
	dst = append(dst, `data: {"seq":`...)
	dst = strconv.AppendUint(dst, e.Seq, 10)
	dst = append(dst, `,"job":`...)
	return append(append(dst, oneLine(e)...), "}\n\n"...)
}

// oneLine is the encoded job without line ends: a bare carriage return or line
// feed inside data would end the field.
func oneLine(e job.Event) []byte {
	data := e.Data
	if len(data) == 0 {
		data, _ = e.Job.Encode() // a Job holds nothing that cannot be encoded
	}
	if bytes.IndexByte(data, '\n') < 0 && bytes.IndexByte(data, '\r') < 0 {
		return data
	}
	var b bytes.Buffer
	if json.Compact(&b, data) != nil {
		return []byte("null")
	}
	return b.Bytes()
}

// AppendLog appends the event log: data {"job":<id>,"lines":[...]}, without an
// id. The reader notices a gap by the numbers of the lines.
func AppendLog(dst []byte, id job.ID, lines []job.Line) []byte {
	return appendEvent(dst, "log", struct {
		Job   job.ID     `json:"job"`
		Lines []job.Line `json:"lines"`
	}{id, lines})
}

// AppendHeartbeat appends the event heartbeat: data {"at":<time>}, without an
// id. It is a named event because a browser's page cannot see comments.
func AppendHeartbeat(dst []byte, at time.Time) []byte {
	return appendEvent(dst, "heartbeat", struct {
		At time.Time `json:"at"`
	}{stamp(at)})
}

// AppendBye appends the event bye: data {"reason":<reason>}, with the time to
// wait before reconnecting, see AppendRetry.
func AppendBye(dst []byte, reason string, retry time.Duration) []byte {
	return appendEvent(AppendRetry(dst, retry), "bye", struct {
		Reason string `json:"reason"`
	}{reason})
}

// AppendRetry appends the field that sets the reader's reconnection time, to the
// millisecond and never below one second. It is part of the block that follows:
// on its own, some clients take it for an event without data.
func AppendRetry(dst []byte, d time.Duration) []byte {
	dst = append(dst, "retry: "...)
	dst = strconv.AppendInt(dst, max(d, minRetry).Milliseconds(), 10)
	return append(dst, '\n')
}

// AppendPadding appends a comment of 2 KiB, which pushes the first events
// through proxies that wait for a small buffer to fill.
func AppendPadding(dst []byte) []byte {
	dst = append(dst, ':')
	dst = append(dst, bytes.Repeat([]byte{' '}, padding)...)
	return append(dst, "\n\n"...)
}

// appendEvent appends a block of the named event; data is a struct of ours,
// which always encodes, and to one line.
func appendEvent(dst []byte, name string, data any) []byte {
	encoded, err := json.Marshal(data)
	if err != nil {
		encoded = []byte("{}") // a time beyond the year 9999 is all that could do this
	}
	dst = append(dst, "event: "...)
	dst = append(dst, name...)
	dst = append(dst, "\ndata: "...)
	return append(append(dst, encoded...), "\n\n"...)
}

func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// frame is one thing to tell, made once and shared by all readers. It does not
// change after it was handed out.
type frame struct {
	event job.Event  // what happened, unless the frame is of log lines
	lines []job.Line // what was logged
	job   job.ID     // whose; "" for a frame of neither kind
	seq   uint64     // event.Seq; 0 when the frame has no place in the order
	wire  []byte     // the block; set under Hub.mu before a stream gets the frame
}

func (f *frame) encode(feed string) {
	switch {
	case f.wire != nil:
	case f.lines != nil:
		f.wire = AppendLog(nil, f.job, f.lines)
	default:
		f.wire = AppendJobEvent(make([]byte, 0, len(f.event.Data)+96), feed, f.event)
	}
}

// size is what the frame weighs while it waits, in bytes.
func (f *frame) size() int {
	n := len(f.wire)
	for _, l := range f.lines {
		n += len(l.Text)
	}
	return n
}
