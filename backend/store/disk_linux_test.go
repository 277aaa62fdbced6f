package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale/backend/job"
	"telltale/backend/store"
)

// smallDisk mounts a real file system of 96 MiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("a disk to fill can only be mounted by root")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=96m,mode=0700"); err != nil {
		t.Skipf("a disk to fill cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file until the disk is full and returns how to free it again.
func fill(dir string) (free func() error, err error) {
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	for _, size := range []int{1 << 20, 4 << 10, 1} {
		b := make([]byte, size)
		for err == nil {
			_, err = f.Write(b)
		}
		if !errors.Is(err, unix.ENOSPC) {
			return nil, err
		}
		err = nil
	}
	return func() error { return os.Remove(path) }, f.Close()
}

func noRoom(t *testing.T, dir string) {
	t.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil || st.Bavail > 64 {
		t.Fatalf("%d blocks are free, %v", st.Bavail, err)
	}
}

func TestR5_DiskFilledByAnotherIsSurvivedAndSaid(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	s := openFor(t, store.WithSmallFloors(store.Options{Dir: filepath.Join(disk, "data")}))
	var m maker
	before := m.accept(time.Now())
	if _, _, err := s.Append(t.Context(), job.Change{Next: before}); err != nil {
		t.Fatal(err)
	}
	free, err := fill(disk)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, _, err = s.Append(t.Context(), job.Change{Next: m.accept(time.Now())})
		var full *job.FullError
		if !errors.As(err, &full) || full.Need <= full.Free {
			t.Fatalf("a job was accepted on a full disk: %v", err)
		}
	}
	if h := s.Health(); h.Level != store.Critical || len(h.Problems) != 1 || h.Problems[0].Code != "storage_full" {
		t.Errorf("health is %+v", h)
	}
	if e, err := s.Get(t.Context(), before.ID); err != nil || e.Job.State != job.Queued {
		t.Errorf("what was there cannot be read: %v", err)
	}
	if err := free(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Append(t.Context(), job.Change{Next: m.accept(time.Now())}); err != nil {
		t.Errorf("room was made, but: %v", err)
	}
	if h := s.Health(); h.Level != store.Roomy {
		t.Errorf("health is %+v", h)
	}
}

// Running jobs are ended on a disk that full, so one that waits must not start
// only to be ended.
func TestR5_QueuedJobsDoNotStartOnAFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	s := openFor(t, store.WithSmallFloors(store.Options{Dir: filepath.Join(disk, "data")}))
	var m maker
	life := m.life(time.Now())
	if _, _, err := s.Append(t.Context(), job.Change{Next: life[0]}); err != nil {
		t.Fatal(err)
	}
	free, err := fill(disk)
	if err != nil {
		t.Fatal(err)
	}
	if h := s.Health(); h.Level != store.Critical {
		t.Fatalf("health is %+v", h)
	}
	start := job.Change{Want: 1, Next: life[1]}
	var full *job.FullError
	if _, _, err := s.Append(t.Context(), start); life[1].State != job.Running || !errors.As(err, &full) {
		t.Errorf("it became %s: %v", life[1].State, err)
	}
	if err := free(); err != nil {
		t.Fatal(err)
	}
	s.Health()
	if _, _, err := s.Append(t.Context(), start); err != nil {
		t.Errorf("room was made, but: %v", err)
	}
}

func TestR6_RunningJobsEndOnAFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	o := store.WithSmallFloors(store.Options{Dir: filepath.Join(disk, "data")})
	s := open(t, o)
	var m maker
	var running []job.Job
	for range 10 {
		life := m.life(time.Now())
		for _, j := range life[:3] {
			if _, _, err := s.Append(t.Context(), job.Change{Want: j.Rev - 1, Next: j}); err != nil {
				t.Fatal(err)
			}
		}
		running = append(running, life[3])
	}
	free, err := fill(disk)
	if err != nil {
		t.Fatal(err)
	}
	s.Health() // as every tick does: notices, and gives up the ballast
	refill, err := fillMore(disk)
	if err != nil {
		t.Fatal(err)
	}
	noRoom(t, disk)
	for _, j := range running {
		stat, err := s.AppendLog(t.Context(), j.ID, []job.Line{{At: time.Now(), Text: "the last word"}})
		if err != nil || stat.Lines != 1 {
			t.Errorf("log on a full disk: %+v, %v", stat, err)
		}
		if _, _, err := s.Append(t.Context(), job.Change{Want: j.Rev - 1, Next: j}); err != nil {
			t.Fatalf("a running job could not end: %v", err)
		}
	}
	noRoom(t, disk)
	if err := errors.Join(free(), refill(), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = openFor(t, o)
	for _, want := range running {
		e, err := s.Get(t.Context(), want.ID)
		if err != nil || e.Job.State != want.State {
			t.Errorf("job is %s, want %s; %v", e.Job.State, want.State, err)
		}
	}
}

// fillMore takes what the ballast gave.
func fillMore(disk string) (free func() error, err error) {
	dir := filepath.Join(disk, "more")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	return fill(dir)
}

// fullLife is the child of R7: its disk is filled under it, and it ends.
func fullLife(disk string) error {
	s, err := store.Open(store.WithSmallFloors(store.Options{Dir: filepath.Join(disk, "data")}))
	if err != nil {
		return err
	}
	var m maker
	for range 20 {
		j := m.accept(time.Now())
		if _, _, err := s.Append(noContext, job.Change{Next: j}); err != nil {
			return err
		}
		fmt.Fprintln(os.Stdout, j.ID)
	}
	if _, err := fill(disk); err != nil {
		return err
	}
	var full *job.FullError
	if err := s.Close(); !errors.As(err, &full) {
		return fmt.Errorf("close on a full disk: %w", err)
	}
	return nil
}

func TestR7_StartOnAFullDiskIsRefusedUntilThereIsRoom(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	out, err := exec.CommandContext(t.Context(), os.Args[0], childMark, "full", disk).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, err.(*exec.ExitError).Stderr) //nolint:errorlint // Output promises it
	}
	free, err := fillMore(disk) // the ballast was given up
	if err != nil {
		t.Fatal(err)
	}
	noRoom(t, disk)
	o := store.WithSmallFloors(store.Options{Dir: filepath.Join(disk, "data")})
	for range 3 {
		s, err := store.Open(o)
		var full *job.FullError
		if !errors.As(err, &full) || full.Dir != o.Dir {
			t.Fatalf("open on a full disk: %v, %v", s, err)
		}
	}
	if err := errors.Join(free(), os.Remove(filepath.Join(disk, "filler"))); err != nil {
		t.Fatal(err)
	}
	s := openFor(t, o)
	ids := bytes.Fields(out)
	if len(ids) != 20 {
		t.Fatalf("%d jobs were acknowledged", len(ids))
	}
	for _, id := range ids {
		if _, err := s.Get(t.Context(), job.ID(id)); err != nil {
			t.Errorf("acknowledged, but: %v", err)
		}
	}
}

func TestR110_DirectoriesAreForTheOwnerOnly(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	s := openFor(t, store.Options{Dir: dir})
	var m maker
	j := m.accept(time.Now())
	if _, _, err := s.Append(t.Context(), job.Change{Next: j}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AppendLog(t.Context(), j.ID, []job.Line{{At: time.Now(), Text: "x"}}); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() && filepath.Dir(path) == filepath.Join(dir, "db") {
			return nil // made by Badger as the umask says; its directory is closed
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
