package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/tmaxmax/go-sse"
)

func FuzzDecodeBody(f *testing.F) {
	for _, s := range []string{
		"", "{}", `{"target":"oslo","params":{"a":1,"b":[true,{"c":null}]},"reason":"x","via":"cli"}`, `{"params":{"a":1e999}}`,
		`{"target":"a","target":"b"}`, `{"params":{"a":{"a":1},"a":2}}`, `[[[[`, `{"a":`, `{}{}`, `{}}`, "\xff", `{"Target":""}`, `null`, `{"params":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decode[TriggerBody](body)
		var r *refusal
		if err != nil {
			if !errors.As(err, &r) || r.code != "bad_json" {
				t.Fatalf("%v", err)
			}
			p := decoded[Problem](t, problemBody(r, faultOf(r.code), "x"))
			if p.Status != 400 {
				t.Fatalf("%+v", p)
			}
			return
		}
		if len(body) == 0 {
			return
		}
		// What is accepted, the standard library reads the same way.
		var want TriggerBody
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		if err := d.Decode(&want); err != nil {
			t.Fatalf("accepted %q: %v", body, err)
		}
		if diff := cmp.Diff(want, got); diff != "" || !utf8.Valid(body) || d.More() {
			t.Fatalf("%q: %s", body, diff)
		}
	})
}

func FuzzHeaders(f *testing.F) {
	for _, s := range []string{"wait=20", "bytes=0-1", "bytes=-1", `"a.1", W/"b.2"`, "text/plain;q=0.5, */*", "localhost:80", "[::1]:1", "x.1", "jobs,job:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if w := preferWait(s); w < 0 || w > maxWait {
			t.Errorf("wait %s", w)
		}
		for _, size := range []int64{0, 1, 100, math.MaxInt64} {
			first, length, asked, fits := byteRange(s, size)
			if first < 0 || length < 0 || (fits && (first > size || length > size-first)) || (asked && fits && length == 0) {
				t.Errorf("range %q of %d: %d+%d", s, size, first, length)
			}
		}
		matches(s, `"a.1"`)
		if got := accepts(s, jsonType, textType); got != "" && got != jsonType && got != textType {
			t.Errorf("accepts %q", got)
		}
		if name := hostName(s); name != strings.ToLower(name) || (name == "localhost" && !strings.HasPrefix(strings.ToLower(s), name)) {
			t.Errorf("host %q", name)
		}
		if p := printable(s); strings.ContainsAny(p, "\r\n\x00\x1b\x7f") || !utf8.ValidString(p) || len(p) > 204 {
			t.Errorf("printable %q", p)
		}
		if i, err := interestOf(strings.Split(s, ",")); err == nil && len(i.Job)+len(i.Log) > maxTopics+1 {
			t.Errorf("%d topics", len(i.Job)+len(i.Log))
		}
	})
}

// The reader agrees with one that nobody here wrote, however the bytes arrive.
func FuzzBlockReader(f *testing.F) {
	for _, s := range []string{
		"event: job\nid: a.1\ndata: {}\n\n", "data\n\n", "data: a\r\ndata: b\r\n\r\n", ": c\n\n", "retry: 10\n\n", "\xef\xbb\xbfdata: x\n\n",
		"data: cut off", "id: a\x00b\ndata: x\n\n", "data:x\rdata: y\r\r", "event:\ndata:\n\n", "id\ndata: z\n\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		read := func(r io.Reader) (all []block) {
			in := newBlockReader(r)
			for {
				b, err := in.next()
				if err != nil {
					return all
				}
				all = append(all, b)
			}
		}
		whole, split := read(bytes.NewReader(raw)), read(iotest.OneByteReader(bytes.NewReader(raw)))
		if diff := cmp.Diff(whole, split, cmp.AllowUnexported(block{})); diff != "" {
			t.Fatal(diff)
		}
		if bytes.ContainsAny(raw, "\x00\xef") || !utf8.Valid(raw) {
			return // go-sse differs from the standard here
		}
		var theirs []string
		for e, err := range sse.Read(bytes.NewReader(raw), nil) {
			if err != nil {
				break
			}
			theirs = append(theirs, e.Data)
		}
		var ours []string
		for _, b := range whole {
			ours = append(ours, string(b.data))
		}
		if len(theirs) >= len(ours) && len(ours) > 0 { // go-sse also tells of events without data, and of one that was cut off
			i := 0
			for _, d := range theirs {
				if i < len(ours) && d == ours[i] {
					i++
				}
			}
			if i != len(ours) {
				t.Fatalf("ours %q, theirs %q", ours, theirs)
			}
		}
	})
}
