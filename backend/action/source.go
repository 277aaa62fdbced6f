package action

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long a folder must be quiet before a changed file is read:
// editors write in several steps.
const settle = 50 * time.Millisecond

// SourceOptions is what a [Source] is given.
type SourceOptions struct {
	// Log hears of every load and refusal. Defaults to nothing.
	Log *slog.Logger
}

// Source holds the catalog of a file and follows its changes. A file that has
// faults is refused as a whole: the old catalog stays, and Trouble says why.
// All methods may be called at once.
type Source struct {
	path    string
	log     *slog.Logger
	watcher *fsnotify.Watcher
	stop    context.CancelFunc
	done    chan struct{}

	reading sync.Mutex // held while the file is read; before mu

	mu      sync.Mutex // guards all below
	catalog *Catalog
	trouble *Faults
	data    []byte        // the text that was last read, good or bad
	changed chan struct{} // closed at the next change of catalog or trouble
}

// Open loads a catalog file and follows it until Close. A file that cannot be
// loaded at the start is an error, *[Faults] when it is about what it holds.
// Where the folder cannot be watched, the file is read again on Reload only.
func Open(path string, o SourceOptions) (*Source, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("catalog path: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Source{path: path, log: o.Log.With(slog.String("catalog", path)), stop: stop, done: make(chan struct{}), changed: make(chan struct{})}
	if s.watcher, err = watch(path); err != nil { // before the first read, so that no change is missed
		s.log.Warn("catalog is not watched", slog.Any("error", err))
	}
	if err := s.Reload(); err != nil {
		stop()
		return nil, errors.Join(err, s.unwatch())
	}
	go s.follow(ctx)
	return s, nil
}

// watch looks at the folder of a file, since editors replace files, and at the
// folder a link leads to.
func watch(path string) (*fsnotify.Watcher, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watcher: %w", err)
	}
	folders := []string{filepath.Dir(path)}
	if target, err := filepath.EvalSymlinks(path); err == nil && filepath.Dir(target) != folders[0] {
		folders = append(folders, filepath.Dir(target))
	}
	for _, folder := range folders {
		if err := w.Add(folder); err != nil {
			return nil, errors.Join(fmt.Errorf("watch folder: %w", err), w.Close())
		}
	}
	return w, nil
}

// Close stops following the file. The last catalog can still be read.
func (s *Source) Close() error {
	s.stop()
	<-s.done
	return s.unwatch()
}

// unwatch gives the watcher back, if there is one.
func (s *Source) unwatch() error {
	if s.watcher == nil {
		return nil
	}
	if err := s.watcher.Close(); err != nil {
		return fmt.Errorf("watcher: %w", err)
	}
	return nil
}

// Catalog is the newest catalog without faults.
func (s *Source) Catalog() *Catalog {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.catalog
}

// Trouble is why the file as it is now was refused, nil when it was not.
func (s *Source) Trouble() *Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble
}

// Changed is closed when the catalog or its trouble changes next. Take it
// before reading either, then wait, then take the next.
func (s *Source) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Reload reads the file now. It returns why it was refused, if it was.
func (s *Source) Reload() error {
	s.reading.Lock()
	defer s.reading.Unlock()
	data, err := readFile(s.path)
	if err != nil {
		s.refuse(nil, &Faults{File: s.path, List: []Fault{{Message: upper(err.Error()) + "."}}})
		return fmt.Errorf("catalog: %w", err)
	}
	if s.knows(data) {
		if trouble := s.Trouble(); trouble != nil {
			return trouble
		}
		return nil
	}
	catalog, err := Parse(s.path, data)
	var faults *Faults
	switch {
	case errors.As(err, &faults):
		s.refuse(data, faults)
		return faults
	case err != nil:
		return err
	}
	s.accept(data, catalog)
	return nil
}

// knows reports whether this very text was read last.
func (s *Source) knows(data []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data != nil && bytes.Equal(s.data, data)
}

// accept takes a catalog over and tells.
func (s *Source) accept(data []byte, c *Catalog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catalog, s.trouble, s.data = c, nil, data
	s.tell()
	s.log.Info("catalog loaded", slog.Int("actions", len(c.actions)))
}

// refuse notes the trouble and tells; data is nil when nothing could be read.
func (s *Source) refuse(data []byte, faults *Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if data == nil && s.trouble != nil && s.trouble.Error() == faults.Error() {
		return // still the same reason
	}
	s.trouble, s.data = faults, data
	s.tell()
	if s.catalog != nil {
		s.log.Warn("catalog refused, the old one stays", slog.Int("faults", len(faults.List)), slog.String("first", faults.List[0].Message))
	}
}

// tell wakes who waits; mu is held.
func (s *Source) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// follow reads the file again whenever its folder has changed and then been
// quiet. Which file changed is not asked: a link may lead anywhere, and an
// unchanged text is not parsed again.
func (s *Source) follow(ctx context.Context) {
	defer close(s.done)
	if s.watcher == nil {
		return
	}
	quiet := time.NewTimer(settle)
	quiet.Stop()
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case _, open := <-s.watcher.Events:
			if !open {
				return
			}
			quiet.Reset(settle)
		case err, open := <-s.watcher.Errors:
			if !open {
				return
			}
			s.log.WarnContext(ctx, "catalog watch", slog.Any("error", err))
			quiet.Reset(settle) // events may have been lost
		case <-quiet.C:
			_ = s.Reload() // Trouble holds the error and refuse has logged it
		}
	}
}
