package store_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"telltale/backend/job"
	"telltale/backend/store"
)

// FuzzPlace: what a List accepts as after is what a List has handed out.
func FuzzPlace(f *testing.F) {
	for _, s := range []string{"", "0", "01a20e3337a97479a1e95167d3f42352b1c4", strings.Repeat("f", 36), "../../etc/passwd", "\x00", "feed.12"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		again, err := store.ParsePlace(s)
		var bad *job.InvalidCursorError
		if err == nil && again != s || err != nil && !errors.As(err, &bad) {
			t.Errorf("%q is %q, %v", s, again, err)
		}
	})
}

// FuzzRecord: a value is read to its last byte or refused, and never panics.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte{1, 0, 5, 0})
	f.Add([]byte("\x01\x06\x05\x01" + "0123456789abcdef" + `{"id":"x"}`))
	f.Add([]byte("\x01\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := store.DecodeRecord(b)
		if err == nil && len(again) > len(b) {
			t.Errorf("%x became %x", b, again)
		}
		_, _ = store.DecodeFirst(b)
	})
}

// FuzzEvents: a value of the feed is read or refused, within bounds of memory.
func FuzzEvents(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte{1, 0, 1, 7, 2, '{', '}'})
	f.Add([]byte{1, 8, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Add([]byte{1, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, err := store.DecodeEvents(b); err == nil && n > 8<<20/3 {
			t.Errorf("%d events in %d bytes", n, len(b))
		}
	})
}

// FuzzLogFile: whatever a file holds, its lines are numbered without a gap, and
// what is not a line is cut off once.
func FuzzLogFile(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("telltale-log 1 1 0\n2026-11-24T15:03:00.123Z o hello\n2026-11-24T15:03:00.123Z e torn"))
	f.Add([]byte("telltale-log 1 7 99\n2026-11-24T15:03:00.123Z s \n"))
	f.Add([]byte("telltale-log 1 -1 0\n\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		part, left, err := store.ReadLogFile(bytes.Clone(b))
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range part.Lines {
			if l.N != part.Dropped+int64(i)+1 || strings.ContainsAny(l.Text, "\n") {
				t.Fatalf("line %d is %+v", i, l)
			}
		}
		again, same, err := store.ReadLogFile(bytes.Clone(left))
		if err != nil || !bytes.Equal(left, same) || len(again.Lines) != len(part.Lines) {
			t.Fatalf("%q was cut to %q, then to %q; %v", b, left, same, err)
		}
	})
}
