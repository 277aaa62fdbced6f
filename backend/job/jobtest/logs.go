package jobtest

import (
	"fmt"
	"io"
	"strings"

	"github.com/google/go-cmp/cmp"

	"telltale/backend/job"
)

// write appends lines to a log, step by step, and returns them numbered.
func (b *bench) write(id job.ID, batches, size int) []job.Line {
	b.Helper()
	var all []job.Line
	bytes := int64(0)
	for i := range batches {
		var lines []job.Line
		for k := range size {
			l := job.Line{At: b.clock.Now(), Stream: job.Stdout, Text: fmt.Sprintf("line %d of batch %d — ü %s", k, i, strings.Repeat("x", k%50))}
			switch k % 5 {
			case 3:
				l.Stream = job.Stderr
			case 4:
				l.Stream, l.Text = job.System, ""
			}
			lines = append(lines, l)
			bytes += int64(len(l.Text)) + 1
		}
		stat, err := b.s.AppendLog(b.ctx(), id, lines)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, lines...)
		want := job.LogStat{Lines: int64(len(all)), Bytes: bytes}
		if stat != want {
			b.Fatalf("log holds %+v, want %+v", stat, want)
		}
		b.step()
	}
	for i := range all {
		if all[i].N != int64(i+1) {
			b.Fatalf("line %d was numbered %d", i+1, all[i].N)
		}
	}
	return all
}

func logNumbersLines(b *bench) {
	id := b.accept("push", "").ID
	part, err := b.s.ReadLog(b.ctx(), id, 1, 10)
	if err != nil || len(part.Lines) != 0 || part.Next != 1 || part.Dropped != 0 {
		b.Fatalf("no log yet: %+v, %v", part, err)
	}
	all := b.write(id, 5, 300)
	for _, c := range []struct{ from, limit int }{{1, 10}, {1, 10_000}, {299, 5}, {1500, 10}, {1501, 10}, {777, 1}, {0, 3}} {
		part, err := b.s.ReadLog(b.ctx(), id, int64(c.from), c.limit)
		if err != nil {
			b.Fatal(err)
		}
		from := max(c.from, 1)
		want := all[min(from-1, len(all)):min(from-1+c.limit, len(all))]
		if diff := cmp.Diff(append([]job.Line{}, want...), part.Lines); diff != "" {
			b.Fatalf("lines from %d (-want +got):\n%s", c.from, diff)
		}
		if part.Next != int64(from+len(want)) || part.Dropped != 0 {
			b.Errorf("lines from %d: next %d, dropped %d", c.from, part.Next, part.Dropped)
		}
	}
	j := b.finish(b.start(b.seen[id]), succeeded)
	b.step()
	if part, err := b.s.ReadLog(b.ctx(), j.ID, 1499, 10); err != nil || len(part.Lines) != 2 {
		b.Errorf("log of a final job: %d lines, %v", len(part.Lines), err)
	}
}

func logAsText(b *bench) {
	id := b.accept("push", "").ID
	all := b.write(id, 3, 400)
	var want strings.Builder
	for _, l := range all {
		want.WriteString(l.Text + "\n")
	}
	r, size, err := b.s.OpenLog(b.ctx(), id)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			b.Error(err)
		}
	}()
	if _, err := b.s.AppendLog(b.ctx(), id, []job.Line{{At: b.clock.Now(), Text: "after"}}); err != nil {
		b.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || size != int64(len(got)) || string(got) != want.String() {
		b.Fatalf("text has %d bytes, size says %d, want %d; %v", len(got), size, want.Len(), err)
	}
	for at := int64(0); at < size; at += 997 {
		if _, err := r.Seek(at, io.SeekStart); err != nil {
			b.Fatal(err)
		}
		part := make([]byte, min(1500, size-at))
		if _, err := io.ReadFull(r, part); err != nil || string(part) != want.String()[at:at+int64(len(part))] {
			b.Fatalf("text from %d is %.60q, %v", at, part, err)
		}
	}
	if at, err := r.Seek(-5, io.SeekEnd); err != nil || at != size-5 {
		b.Errorf("seek from the end: %d, %v", at, err)
	}
}

func logOfNobody(b *bench) {
	id := b.fresh("push", "").ID
	_, err := b.s.ReadLog(b.ctx(), id, 1, 10)
	wantError[*job.NotFoundError](b, "read", err, nil)
	_, _, err = b.s.OpenLog(b.ctx(), id)
	wantError[*job.NotFoundError](b, "open", err, nil)
	_, err = b.s.AppendLog(b.ctx(), id, []job.Line{{Text: "x"}})
	wantError[*job.NotFoundError](b, "append", err, nil)
	_, err = b.s.ReadLog(b.ctx(), "../../etc/passwd", 1, 10)
	wantError[*job.InvalidIDError](b, "bad id", err, nil)
	_, err = b.s.Get(b.ctx(), id)
	wantError[*job.NotFoundError](b, "get", err, nil)
}
