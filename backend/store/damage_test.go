package store_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale/backend/job"
	"telltale/backend/store"
)

// hinted is an error with a word for people.
type hinted interface {
	error
	Hint() string
}

// refused checks that a directory is refused with an error of type T that has a
// hint, and that check approves of.
func refused[T hinted](t *testing.T, o store.Options, check func(T) bool) {
	t.Helper()
	s, err := store.Open(o)
	if err == nil {
		t.Fatal("opened", s.Close())
	}
	var e T
	if !errors.As(err, &e) {
		t.Fatalf("error is %T: %v, want a %T", err, err, e)
	}
	if e.Hint() == "" || strings.Contains(e.Error(), "\n") {
		t.Errorf("error %q has hint %q", e, e.Hint())
	}
	if check != nil && !check(e) {
		t.Errorf("error is %+v", e)
	}
}

// filled makes a directory with a closed store of n final jobs in it.
func filled(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	s := open(t, store.Options{Dir: dir})
	var m maker
	for range n {
		for _, j := range m.life(time.Now()) {
			if _, _, err := s.Append(t.Context(), job.Change{Want: j.Rev - 1, Next: j}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// snapshot is the content of the tables in a directory.
func snapshot(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "db", "*.sst"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%d tables, %v", len(names), err)
	}
	sums := map[string][32]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sums[name] = sha256.Sum256(b)
	}
	return sums
}

func TestR3_EmptyLogFilesOfAKilledProcessDoNotStopIt(t *testing.T) {
	t.Parallel()
	dir := filled(t, 3)
	for _, name := range []string{"00009.mem", "000009.vlog", "00001.mem"} {
		path := filepath.Join(dir, "db", name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := openFor(t, store.Options{Dir: dir})
	if h := s.Health(); h.Records != 3 || h.Head != 12 {
		t.Errorf("health is %+v", h)
	}
}

// Badger opens a store whose table of contents is lost as an empty one, and
// deletes its tables. Ours must not let it come to that.
func TestR8_LostManifestIsRefusedAndTablesAreKept(t *testing.T) {
	t.Parallel()
	manifest := func(dir string) string { return filepath.Join(dir, "db", "MANIFEST") }
	for name, harm := range map[string]func(dir string) error{
		"deleted": func(dir string) error { return os.Remove(manifest(dir)) },
		"emptied": func(dir string) error { return os.Truncate(manifest(dir), 0) },
		"cut": func(dir string) error {
			st, err := os.Stat(manifest(dir))
			if err != nil {
				return err
			}
			return os.Truncate(manifest(dir), st.Size()-3)
		},
		"of another start": func(dir string) error {
			b, err := os.ReadFile(filepath.Join(dir, "MANIFEST.copy"))
			if err != nil {
				return err
			}
			return os.WriteFile(manifest(dir), b, 0o600)
		},
		"flipped": func(dir string) error { return flip(manifest(dir), -5) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, killed := range []bool{false, true} {
				dir := filled(t, 5)
				if killed {
					forgetCleanEnd(t, dir)
					if name == "of another start" {
						continue // the same as a start that wrote no table
					}
				}
				before := snapshot(t, dir)
				if err := harm(dir); err != nil {
					t.Fatal(err)
				}
				refused[*store.DamagedError](t, store.Options{Dir: dir}, nil)
				refused[*store.DamagedError](t, store.Options{Dir: dir}, nil) // and again
				if after := snapshot(t, dir); fmt.Sprint(before) != fmt.Sprint(after) {
					t.Error("tables were touched")
				}
			}
		})
	}
}

// forgetCleanEnd makes a directory look as if its process had been killed.
func forgetCleanEnd(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "STORE.json")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte(`"clean": "`))
	end := bytes.IndexByte(b[at+10:], '"')
	b = append(b[:at+10], b[at+10+end:]...)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// flip inverts a byte of a file; a negative place counts from the end.
func flip(path string, at int64) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if at < 0 {
		at += int64(len(b))
	}
	b[at] ^= 0xff
	return os.WriteFile(path, b, 0o600)
}

func TestR8_OtherLostPartsAreRefused(t *testing.T) {
	t.Parallel()
	tables := func(dir string) []string {
		names, _ := filepath.Glob(filepath.Join(dir, "db", "*.sst"))
		return names
	}
	for name, harm := range map[string]func(dir string) error{
		"a table deleted": func(dir string) error { return os.Remove(tables(dir)[0]) },
		"a table emptied": func(dir string) error { return os.Truncate(tables(dir)[0], 0) },
		"a table cut": func(dir string) error {
			st, err := os.Stat(tables(dir)[0])
			if err != nil {
				return err
			}
			return os.Truncate(tables(dir)[0], st.Size()/2)
		},
		"a table's footer flipped": func(dir string) error { return flip(tables(dir)[0], -3) },
		"STORE.json deleted":       func(dir string) error { return os.Remove(filepath.Join(dir, "STORE.json")) },
		"STORE.json emptied":       func(dir string) error { return os.Truncate(filepath.Join(dir, "STORE.json"), 0) },
		"database deleted":         func(dir string) error { return os.RemoveAll(filepath.Join(dir, "db")) },
		"STORE.json of another": func(dir string) error {
			b, err := os.ReadFile(filepath.Join(dir, "STORE.json"))
			if err != nil {
				return err
			}
			at := bytes.Index(b, []byte(`"store": "`)) + 10
			copy(b[at:], strings.Repeat("0", 32))
			return os.WriteFile(filepath.Join(dir, "STORE.json"), b, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filled(t, 5)
			if err := harm(dir); err != nil {
				t.Fatal(err)
			}
			refused[*store.DamagedError](t, store.Options{Dir: dir}, nil)
		})
	}
}

// A flipped byte in a table makes Badger's iterators end early without a word.
func TestR9_DamagedTableRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	dir := filled(t, 200)
	names, err := filepath.Glob(filepath.Join(dir, "db", "*.sst"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	st, err := os.Stat(names[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := flip(names[0], (st.Size()-32<<10)/2); err != nil { // before the end, which is checked at once
		t.Fatal(err)
	}
	s := openFor(t, store.Options{Dir: dir})
	s.Verified()
	h := s.Health()
	for _, p := range h.Problems {
		if p.Code == "storage_damaged" && p.Hint != "" {
			return
		}
	}
	t.Errorf("no alarm: %+v", h)
}

func TestR11_UnusableDirectoriesAreExplained(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, store.Options{Dir: file}, func(e *store.UnusableDirError) bool { return e.Dir == file })
	missing := filepath.Join(t.TempDir(), "a", "b")
	openFor(t, store.Options{Dir: missing})
	if os.Getuid() == 0 {
		t.Log("running as root: a directory without rights cannot be had")
		return
	}
	locked := t.TempDir()
	if err := os.Chmod(locked, 0o500); err != nil {
		t.Fatal(err)
	}
	refused[*store.UnusableDirError](t, store.Options{Dir: locked}, nil)
}

func TestNetworkFileSystemIsRefusedUnlessForced(t *testing.T) {
	t.Parallel()
	o := store.OnNetwork(store.Options{Dir: t.TempDir()}, "NFS")
	refused(t, o, func(e *store.UnusableDirError) bool { return strings.Contains(e.Error(), "NFS") })
	o.AllowNetwork = true
	openFor(t, o)
}

func TestR12_SecondInstanceNamesTheFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openFor(t, store.Options{Dir: dir})
	refused(t, store.Options{Dir: dir}, func(e *store.LockedError) bool {
		return e.PID == os.Getpid() && strings.Contains(e.Error(), strconv.Itoa(os.Getpid()))
	})
	var m maker
	if _, _, err := s.Append(t.Context(), job.Change{Next: m.accept(time.Now())}); err != nil {
		t.Errorf("the first was disturbed: %v", err)
	}
}

func TestR14_NewerFormatIsRefused(t *testing.T) {
	t.Parallel()
	dir := filled(t, 1)
	path := filepath.Join(dir, "STORE.json")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.Replace(b, []byte(`"format": 1`), []byte(`"format": 2`), 1)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, store.Options{Dir: dir}, func(e *store.NewerFormatError) bool { return e.Have == 2 && e.Know == 1 })
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(after, b) {
		t.Error("STORE.json was changed")
	}
}
