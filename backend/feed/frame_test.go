package feed

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telltale/backend/job"
)

func TestEveryBlockIsAsTheContractSays(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 2, 0, 0, 5_999_999, time.FixedZone("CET", 3600))
	cursor := job.Cursor{Feed: "abc", Seq: 7}
	e := job.Event{Seq: 9, Data: []byte(`{"id":"x"}`)}
	for want, got := range map[string][]byte{
		"event: hello\ndata: {\"stream\":\"s\",\"now\":\"2026-11-23T01:00:00.005Z\",\"head\":\"abc.7\",\"resumed_from\":\"\",\"lost\":false}\n\n": AppendHello(nil, Hello{Stream: "s", Now: at, Head: cursor}),
		"event: reset\ndata: {}\n\n":                                          AppendReset(nil),
		"event: job\nid: abc.9\ndata: {\"seq\":9,\"job\":{\"id\":\"x\"}}\n\n": AppendJobEvent(nil, "abc", e),
		"event: job\ndata: {\"seq\":9,\"job\":{\"id\":\"x\"}}\n\n":            appendShown(nil, e),
		"event: heartbeat\ndata: {\"at\":\"2026-11-23T01:00:00.005Z\"}\n\n":   AppendHeartbeat(nil, at),
		"retry: 1000\nevent: bye\ndata: {\"reason\":\"shutdown\"}\n\n":        AppendBye(nil, "shutdown", 0),
		"retry: 1500\n":                          AppendRetry(nil, 1500*time.Millisecond),
		":" + strings.Repeat(" ", 2048) + "\n\n": AppendPadding(nil),
	} {
		if d := cmp.Diff(want, string(got)); d != "" {
			t.Error(d)
		}
	}
	withLines := AppendJobEvent(nil, "abc", job.Event{Seq: 9, Data: []byte("{\r\n  \"id\": \"x\"\n}")})
	if d := cmp.Diff(string(AppendJobEvent(nil, "abc", e)), string(withLines)); d != "" {
		t.Errorf("data over several lines: %s", d)
	}
}

// Whatever a program prints or a catalog says, a frame is one block that a
// strict reader reads, and what it reads is what was said.
func FuzzFramesStayWhole(f *testing.F) {
	f.Add("phase", "a line", "reason")
	f.Add("data: x\n\nevent: bye\n", "\r\nid: 1\x00", "\n\n")
	f.Add("\xff\xfe\u2028", "\x1b[31m", "\ufeff")
	f.Fuzz(func(t *testing.T, phase, line, reason string) {
		j := job.Job{ID: "a", Phase: phase}
		data, err := j.Encode()
		if err != nil {
			t.Fatal(err)
		}
		var stream []byte
		stream = AppendJobEvent(stream, "feed", job.Event{Seq: 1, Job: j, Data: data})
		stream = AppendLog(stream, "a", []job.Line{{N: 1, Text: line}})
		stream = AppendBye(stream, reason, time.Second)
		strict := newStrictReader(bytes.NewReader(stream))
		var said []string
		for _, name := range []string{"job", "log", "bye"} {
			b, err := strict.next()
			if err != nil || b.Event != name {
				t.Fatalf("%q: got %+v, %v", stream, b, err)
			}
			said = append(said, b.Data)
		}
		var heard struct{ Job job.Job }
		if err := json.Unmarshal([]byte(said[0]), &heard); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(phase, "\ufffd"); !sameText(heard.Job.Phase, want) {
			t.Errorf("heard %q, want %q", heard.Job.Phase, want)
		}
	})
}

// sameText compares but for how many replacement characters stand for a run of
// bytes that are not UTF-8.
func sameText(a, b string) bool {
	squeeze := func(s string) string {
		for strings.Contains(s, "\ufffd\ufffd") {
			s = strings.ReplaceAll(s, "\ufffd\ufffd", "\ufffd")
		}
		return s
	}
	return squeeze(a) == squeeze(b)
}
