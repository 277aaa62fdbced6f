package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/dgraph-io/badger/v4"

	"telltale/backend/job"
)

// Open opens the store of a directory, or a new one in memory. In this order,
// so that nothing is touched before it is known to be ours and whole:
//
//  1. the directory exists, is ours to write and not on a network file system
//  2. nobody else has it open
//  3. STORE.json: a format we know; the database has the tables it says it has
//  4. there is room; if not, the ballast is given up, and if that is not enough
//     nothing is opened (on a full disk Badger would end the process)
//  5. empty files that a killed process left are removed; Badger opens
//  6. the database is the one STORE.json names; counters and the feed's end agree
//
// It returns a *LockedError, *NewerFormatError, *DamagedError,
// *UnusableDirError or *job.FullError.
func Open(o Options) (*Store, error) {
	o = o.withDefaults()
	s := &Store{
		o: o, release: func() {},
		in: make(chan *request, maxBatch), closing: make(chan struct{}), written: make(chan struct{}),
		trim: make(chan struct{}, 1), verified: make(chan struct{}),
	}
	s.guard = newGuard(o)
	if err := s.open(); err != nil {
		if s.db != nil {
			err = errors.Join(err, s.db.Close())
		}
		s.release()
		return nil, err
	}
	return s, nil
}

func (s *Store) open() error {
	if s.o.Dir != "" {
		if err := s.openDir(); err != nil {
			return err
		}
	}
	var err error
	if s.logs, err = openLogs(s.o, s.guard); err != nil {
		return err
	}
	if err = s.o.fault("open"); err != nil {
		return s.explain(err)
	}
	if s.db, err = openBadger(s.o); err != nil {
		return s.explain(err)
	}
	if err = s.identify(); err != nil {
		return err
	}
	st, counts, err := s.load()
	if err != nil {
		return err
	}
	if s.o.Dir != "" {
		s.guard.prepare()
		if err := copyManifest(s.o.Dir); err != nil {
			return &UnusableDirError{Dir: s.o.Dir, Why: "cannot be written", Todo: todoWrite, Err: err}
		}
	}
	s.start(st, counts)
	return nil
}

const todoWrite = "Give the user that runs Telltale the right to write there, or choose another data directory."

// openDir does steps 1 to 4 and the removals of 5.
func (s *Store) openDir() error {
	dir := s.o.Dir
	if err := os.MkdirAll(filepath.Join(dir, "db"), 0o700); err != nil {
		return unusable(dir, err)
	}
	if kind := s.o.network(dir); kind != "" && !s.o.AllowNetwork {
		return &UnusableDirError{
			Dir: dir, Why: fmt.Sprintf("is on a network file system (%s)", kind),
			Todo: "Choose a directory on a local disk: locks and memory maps are not safe there.",
		}
	}
	release, err := lockDir(dir)
	if err != nil {
		return err
	}
	s.release = release
	if s.identity, err = readIdentity(dir); err != nil {
		return err
	}
	if err := checkManifest(dir, s.identity); err != nil {
		return err
	}
	if err := s.guard.preflight(); err != nil {
		return err
	}
	if s.identity.Store == "" {
		if s.identity, err = newIdentity(s.o); err != nil {
			return err
		}
	}
	s.sums = readTableSums(dir, s.identity)
	s.unclean = s.identity.Initialized && s.identity.Clean == ""
	s.identity.Clean = ""
	if err := s.identity.write(dir); err != nil {
		return unusable(dir, err)
	}
	return removeEmpty(dir)
}

// unusable explains an error about the directory itself.
func unusable(dir string, err error) error {
	e := &UnusableDirError{Dir: dir, Why: "cannot be used", Todo: todoWrite, Err: err}
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.Why = "is not ours to write"
	case isReadOnly(err):
		e.Why = "is on a disk that can only be read"
	case isNotDir(err):
		e.Why, e.Todo = "is not a directory", "Choose another data directory, or move the file of that name away."
	}
	return e
}

// removeEmpty removes log files that a process was killed while making: Badger
// would refuse to open with them (badger issue 2207).
func removeEmpty(dir string) error {
	for _, pattern := range []string{"*.mem", "*.vlog"} {
		names, err := filepath.Glob(filepath.Join(dir, "db", pattern))
		if err != nil {
			return fmt.Errorf("list database: %w", err)
		}
		for _, name := range names {
			if st, err := os.Stat(name); err == nil && st.Size() == 0 {
				if err := os.Remove(name); err != nil {
					return unusable(dir, err)
				}
			}
		}
	}
	return nil
}

// explain makes an error of Badger's Open one a person can act on.
func (s *Store) explain(err error) error {
	switch {
	case s.o.Dir == "":
		return fmt.Errorf("open store in memory: %w", err)
	case isLocked(err):
		return &LockedError{Dir: s.o.Dir}
	case errors.Is(err, fs.ErrPermission), isReadOnly(err):
		return unusable(s.o.Dir, err)
	case isNoSpace(err):
		free, _ := s.o.FreeSpace(s.o.Dir)
		return &job.FullError{Dir: s.o.Dir, Free: free, Need: s.guard.need()}
	default:
		return &DamagedError{Dir: s.o.Dir, What: "the database cannot be opened", Err: err}
	}
}

// identify does step 6 for who we are: a new database gets its name, an old one
// must have the right one.
func (s *Store) identify() error {
	if s.identity.Store == "" { // in memory
		id, err := newIdentity(s.o)
		if err != nil {
			return err
		}
		s.identity = id
	}
	have, err := s.storedIdentity()
	switch {
	case err != nil:
		return &DamagedError{Dir: s.o.Dir, What: "its identity cannot be read", Err: err}
	case have == nil && s.identity.Initialized:
		return &DamagedError{Dir: s.o.Dir, What: "the database is empty, though it held a history"}
	case have == nil:
		if err := s.storeIdentity(); err != nil {
			return s.explain(err)
		}
	case have.Format > format:
		return &NewerFormatError{Dir: s.o.Dir, Have: have.Format, Know: format, App: have.App}
	case have.Store != s.identity.Store:
		return &DamagedError{Dir: s.o.Dir, What: "the database belongs to another store"}
	default:
		s.identity.Feed = have.Feed
	}
	if s.o.Dir == "" || s.identity.Initialized {
		return nil
	}
	s.identity.Initialized = true
	if err := s.identity.write(s.o.Dir); err != nil {
		return unusable(s.o.Dir, err)
	}
	return nil
}

// badgerLog passes on what Badger has to say, without its small talk.
type badgerLog struct{ log *slog.Logger }

func (b badgerLog) Errorf(f string, a ...any) {
	b.log.Error("database", slog.String("text", strings.TrimSpace(fmt.Sprintf(f, a...))))
}

func (b badgerLog) Warningf(f string, a ...any) {
	b.log.Warn("database", slog.String("text", strings.TrimSpace(fmt.Sprintf(f, a...))))
}

func (b badgerLog) Infof(string, ...any)  {}
func (b badgerLog) Debugf(string, ...any) {}

var _ badger.Logger = badgerLog{}
