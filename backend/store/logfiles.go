package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// logFiles is where the files of logs lie. Names are slash-separated, relative.
type logFiles interface {
	// list names the files of one log, in the order of their lines.
	list(log string) ([]string, error)
	// write puts b at an offset and ends the file after it.
	write(name string, at int64, b []byte) error
	// open reads a file as it is now; size is its length.
	open(name string) (r readerAtCloser, size int64, err error)
	remove(name string)
	// cut ends a file at a size.
	cut(name string, size int64) error
}

type readerAtCloser interface {
	io.ReaderAt
	io.Closer
}

// diskFiles are files below <dir>/logs, opened for each use: a job that writes
// now and then needs no descriptor in between.
type diskFiles struct {
	root  string
	fault func(step string) error

	mu    sync.Mutex       // guards sizes
	sizes map[string]int64 // bytes by day, where nothing changed since
}

func newDiskFiles(o Options) (*diskFiles, error) {
	root := filepath.Join(o.Dir, "logs")
	return &diskFiles{root: root, fault: o.fault, sizes: map[string]int64{}}, os.MkdirAll(root, 0o700)
}

func (d *diskFiles) path(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

func (d *diskFiles) list(log string) ([]string, error) {
	first := log + ".log"
	var names []string
	if _, err := os.Stat(d.path(first)); err == nil {
		names = append(names, first)
	}
	more, err := filepath.Glob(d.path(log + ".*.log"))
	if err != nil {
		return nil, err
	}
	slices.Sort(more)
	for _, m := range more {
		names = append(names, log[:strings.IndexByte(log, '/')+1]+filepath.Base(m))
	}
	return names, nil
}

func (d *diskFiles) write(name string, at int64, b []byte) error {
	if err := d.fault("log"); err != nil {
		return err
	}
	d.changed(name)
	path := d.path(name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	for range 3 { // the day's directory may go at any moment with its last file
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		f, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	}
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(b, at); err != nil {
		err = errors.Join(err, f.Truncate(at)) // a line that was half written is none
	}
	return errors.Join(err, f.Close())
}

func (d *diskFiles) open(name string) (readerAtCloser, int64, error) {
	f, err := os.Open(d.path(name))
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, st.Size(), nil
}

// remove also takes the directory of a day whose last file went.
func (d *diskFiles) remove(name string) {
	d.changed(name)
	_ = os.Remove(d.path(name))
	_ = os.Remove(filepath.Dir(d.path(name)))
}

func (d *diskFiles) cut(name string, size int64) error { return os.Truncate(d.path(name), size) }

// memoryFiles are the logs of a store in memory.
type memoryFiles struct {
	mu    sync.Mutex // guards files
	files map[string][]byte
}

func newMemoryFiles() *memoryFiles { return &memoryFiles{files: map[string][]byte{}} }

func (m *memoryFiles) list(log string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for name := range m.files {
		if strings.HasPrefix(name, log+".") && name != log+".log" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if _, ok := m.files[log+".log"]; ok {
		names = slices.Insert(names, 0, log+".log")
	}
	return names, nil
}

func (m *memoryFiles) write(name string, at int64, b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.files[name]
	if at < int64(len(old)) {
		old = old[:at:at] // readers keep what they have
	}
	m.files[name] = append(old, b...)
	return nil
}

func (m *memoryFiles) open(name string) (readerAtCloser, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.files[name]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	return struct {
		*bytes.Reader
		io.Closer
	}{bytes.NewReader(b), io.NopCloser(nil)}, int64(len(b)), nil
}

func (m *memoryFiles) remove(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.files, name)
}

func (m *memoryFiles) cut(name string, size int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[name] = m.files[name][:size]
	return nil
}
