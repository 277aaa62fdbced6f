package store_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"telltale/backend/job"
	"telltale/backend/store"
)

// logged is a store with one job to log for.
func logged(t *testing.T, o store.Options) (*store.Store, job.ID) {
	t.Helper()
	s := open(t, o)
	var m maker
	j := m.accept(time.Now())
	if _, _, err := s.Append(t.Context(), job.Change{Next: j}); err != nil {
		t.Fatal(err)
	}
	return s, j.ID
}

func closeStore(t *testing.T, s *store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// say appends n lines that carry their own number and returns the last answer.
func say(t *testing.T, s *store.Store, id job.ID, from, n int) job.LogStat {
	t.Helper()
	var stat job.LogStat
	for at := from; at < from+n; at += 100 {
		var lines []job.Line
		for i := at; i < min(at+100, from+n); i++ {
			lines = append(lines, job.Line{At: time.Now(), Stream: job.Stdout, Text: fmt.Sprintf("%08d %s", i, strings.Repeat("x", 60))})
		}
		var err error
		if stat, err = s.AppendLog(t.Context(), id, lines); err != nil {
			t.Fatal(err)
		}
	}
	return stat
}

// readAll pages through a log and checks that every line carries its number.
func readAll(t *testing.T, s *store.Store, id job.ID) (lines []job.Line, dropped int64) {
	t.Helper()
	next := int64(1)
	for {
		part, err := s.ReadLog(t.Context(), id, next, 97)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range part.Lines {
			if !strings.HasPrefix(l.Text, fmt.Sprintf("%08d ", l.N)) {
				t.Fatalf("line %d says %.20q", l.N, l.Text)
			}
		}
		if part.Next == next {
			return lines, dropped
		}
		if part.Next != next+int64(len(part.Lines))+part.Dropped {
			t.Fatalf("from %d: next %d with %d lines and %d dropped", next, part.Next, len(part.Lines), part.Dropped)
		}
		lines, dropped, next = append(lines, part.Lines...), dropped+part.Dropped, part.Next
	}
}

func logBytes(t *testing.T, dir string) (bytes int64, files int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "logs"), func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			bytes += info.Size()
			files++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes, files
}

func TestLogKeepsHeadAndTailWithinItsQuota(t *testing.T) {
	t.Parallel()
	const quota, total = 128 << 10, 20_000
	for _, dir := range []string{"", t.TempDir()} {
		o := store.Options{Dir: dir, LogQuota: quota}
		s, id := logged(t, o)
		stat := say(t, s, id, 1, total)
		if stat.Lines != total || stat.Bytes != total*70 || !stat.Truncated {
			t.Errorf("log holds %+v", stat)
		}
		check := func() {
			t.Helper()
			lines, dropped := readAll(t, s, id)
			if len(lines) == 0 || lines[0].N != 1 || lines[len(lines)-1].N != total || int(dropped)+len(lines) != total {
				t.Fatalf("%d lines kept, %d dropped", len(lines), dropped)
			}
			kept := len(lines) * 97
			if kept < quota*3/4 || kept > quota {
				t.Errorf("%d bytes are kept of a quota of %d", kept, quota)
			}
			r, size, err := s.OpenLog(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r)
			if err != nil || int64(len(text)) != size || r.Close() != nil {
				t.Fatalf("text has %d bytes of %d, %v", len(text), size, err)
			}
			if got := strings.Count(string(text), "\n"); got != len(lines)+1 || !strings.Contains(string(text), fmt.Sprintf("[%d lines were not kept]\n", dropped)) {
				t.Errorf("text has %d lines for %d and a note", got, len(lines))
			}
		}
		check()
		if dir != "" {
			if bytes, _ := logBytes(t, dir); bytes > quota+1024 {
				t.Errorf("%d bytes on disk of a quota of %d", bytes, quota)
			}
			closeStore(t, s)
			s = open(t, o)
			check()
			if stat := say(t, s, id, total+1, 1); stat.Lines != total+1 || stat.Bytes != (total+1)*70 || !stat.Truncated {
				t.Errorf("after a restart the log holds %+v", stat)
			}
		}
		closeStore(t, s)
	}
}

func TestLogGoesOnAfterATornLine(t *testing.T) {
	t.Parallel()
	for name, torn := range map[string]string{
		"half a line":      "2026-11-24T15:03:00.123Z o 00000011 half",
		"half a prefix":    "2026-11-",
		"garbage":          "\x00\x00\x00\x00",
		"a line too short": "x\n2026-11-24T15:03:00.123Z o 00000012 what follows is not trusted\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := store.Options{Dir: t.TempDir()}
			s, id := logged(t, o)
			say(t, s, id, 1, 10)
			closeStore(t, s)
			names, err := filepath.Glob(filepath.Join(o.Dir, "logs", "*", string(id)+".log"))
			if err != nil || len(names) != 1 {
				t.Fatal(names, err)
			}
			f, err := os.OpenFile(names[0], os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(torn); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, o)
			if stat := say(t, s, id, 11, 5); stat.Lines != 15 || stat.Truncated {
				t.Errorf("log holds %+v", stat)
			}
			if lines, dropped := readAll(t, s, id); len(lines) != 15 || dropped != 0 {
				t.Errorf("%d lines, %d dropped", len(lines), dropped)
			}
			closeStore(t, s)
		})
	}
}

func TestLogTornBeforeItsHeadStartsAgain(t *testing.T) {
	t.Parallel()
	o := store.Options{Dir: t.TempDir()}
	s, id := logged(t, o)
	say(t, s, id, 1, 1)
	closeStore(t, s)
	names, err := filepath.Glob(filepath.Join(o.Dir, "logs", "*", "*.log"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	if err := os.Truncate(names[0], 7); err != nil {
		t.Fatal(err)
	}
	s = openFor(t, o)
	if lines, _ := readAll(t, s, id); len(lines) != 0 {
		t.Errorf("%d lines", len(lines))
	}
	if stat := say(t, s, id, 1, 3); stat.Lines != 3 {
		t.Errorf("log holds %+v", stat)
	}
}

func TestLogIsDroppedAndCountedWhileTheDiskIsFull(t *testing.T) {
	t.Parallel()
	var free atomic.Int64
	free.Store(1 << 40)
	o := store.Options{Dir: t.TempDir(), FreeSpace: func(string) (int64, error) { return free.Load(), nil }}
	s, id := logged(t, o)
	say(t, s, id, 1, 10)
	free.Store(100 << 20)
	s.Health()
	if stat := say(t, s, id, 11, 10); stat.Lines != 20 || !stat.Truncated {
		t.Errorf("log holds %+v", stat)
	}
	if lines, dropped := readAll(t, s, id); len(lines) != 10 || dropped != 10 {
		t.Errorf("%d lines, %d dropped", len(lines), dropped)
	}
	free.Store(1 << 40)
	s.Health()
	if stat := say(t, s, id, 21, 10); stat.Lines != 30 {
		t.Errorf("log holds %+v", stat)
	}
	check := func() {
		t.Helper()
		if lines, dropped := readAll(t, s, id); len(lines) != 20 || dropped != 10 || lines[19].N != 30 {
			t.Errorf("%d lines, %d dropped", len(lines), dropped)
		}
	}
	check()
	closeStore(t, s)
	s = openFor(t, o)
	check()
}

func TestLogsOfAllJobsTogetherHaveAQuota(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openFor(t, store.Options{Dir: dir, LogTotal: 60_000})
	var m maker
	began := time.Now().Add(-20 * 24 * time.Hour)
	var ids []job.ID
	for day := range 20 {
		life := m.life(began.Add(time.Duration(day) * 24 * time.Hour))
		if day == 0 {
			life = life[:2] // still running: its log stays
		}
		for _, j := range life {
			if _, _, err := s.Append(t.Context(), job.Change{Want: j.Rev - 1, Next: j}); err != nil {
				t.Fatal(err)
			}
		}
		ids = append(ids, life[0].ID)
		say(t, s, life[0].ID, 1, 100)
	}
	for range 2 {
		if _, err := s.Prune(t.Context(), time.Now(), func(string) job.Keep { return job.Keep{} }); err != nil {
			t.Fatal(err)
		}
		bytes, files := logBytes(t, dir)
		if bytes > 60_000 || files != 6 {
			t.Errorf("%d bytes in %d files", bytes, files)
		}
	}
	for day, id := range ids {
		lines, _ := readAll(t, s, id)
		if want := day == 0 || day > 14; (len(lines) == 100) != want {
			t.Errorf("day %d: %d lines are kept", day, len(lines))
		}
	}
}

func TestLogLineStaysOneLine(t *testing.T) {
	t.Parallel()
	s, id := logged(t, store.Options{Dir: t.TempDir()})
	defer closeStore(t, s)
	lines := []job.Line{
		{Text: "a\nb\r\x00c"},
		{Text: strings.Repeat("ü", 40_000)},
		{Text: "\xff\xfe"},
		{Text: "2026-11-24T15:03:00.123Z o looks like a prefix"},
	}
	if stat, err := s.AppendLog(t.Context(), id, lines); err != nil || stat.Lines != 4 {
		t.Fatalf("%+v, %v", stat, err)
	}
	part, err := s.ReadLog(t.Context(), id, 1, 10)
	if err != nil || len(part.Lines) != 4 {
		t.Fatalf("%d lines, %v", len(part.Lines), err)
	}
	if got := part.Lines[0].Text; got != "a b c" {
		t.Errorf("line 1 is %q", got)
	}
	if got := len(part.Lines[1].Text); got > 64<<10+2 || got < 64<<10-2 {
		t.Errorf("line 2 has %d bytes", got)
	}
	if got := part.Lines[3].Text; got != lines[3].Text {
		t.Errorf("line 4 is %q", got)
	}
}

func TestLogsOfManyJobsAtOnce(t *testing.T) {
	t.Parallel()
	s := openFor(t, store.Options{Dir: t.TempDir(), LogQuota: 64 << 10})
	var m maker
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 40 { // more in all than are remembered
				j := m.accept(time.Now())
				if _, _, err := s.Append(t.Context(), job.Change{Next: j}); err != nil {
					t.Error(err)
					return
				}
				for i := range 3 {
					say(t, s, j.ID, 1+i*10, 10)
				}
				if lines, _ := readAll(t, s, j.ID); len(lines) != 30 {
					t.Errorf("%d lines", len(lines))
				}
			}
		})
	}
	wg.Wait()
	if fds, err := os.ReadDir("/proc/self/fd"); err == nil && len(fds) > 900 {
		t.Errorf("%d files are open", len(fds))
	}
}
