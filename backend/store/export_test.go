package store

import "telltale/backend/job"

// Verified waits until the check in the background is done.
func (s *Store) Verified() { <-s.verified }

// WithFaults makes every step that may fail on a real disk ask fault first.
func WithFaults(o Options, fault func(step string) error) Options {
	o.fault = fault
	return o
}

// OnNetwork makes a directory look as if it were on a network file system.
func OnNetwork(o Options, kind string) Options {
	o.network = func(string) string { return kind }
	return o
}

// WithSmallFloors makes the guard watch a disk of some 100 MiB the way it
// watches a real one.
func WithSmallFloors(o Options) Options {
	o.floors = &floors{soft: 56 << 20, hard: 40 << 20, last: 20 << 20, open: 32 << 20, ballast: 4 << 20}
	return o
}

// Encodings that fuzz tests read back.
var (
	DecodeRecord = func(b []byte) ([]byte, error) {
		r, err := decodeRecord(b)
		return r.encode(), err
	}
	DecodeFirst = func(b []byte) ([]byte, error) {
		f, err := decodeFirst(b)
		return f.encode(), err
	}
	DecodeEvents = func(b []byte) (int, error) {
		all, err := decodeEvents(b)
		return len(all), err
	}
	// ReadLogFile reads a log whose only file holds b.
	ReadLogFile = func(b []byte) (job.LogPart, []byte, error) {
		files := newMemoryFiles()
		files.files["d/x.log"] = b
		st := &logState{name: "d/x"}
		if err := st.load(files); err != nil {
			return job.LogPart{}, nil, err
		}
		part, err := st.read(files, 1, 1<<20)
		return part, files.files["d/x.log"], err
	}
	ParsePlace = func(s string) (string, error) {
		id, err := parsePlace(s)
		return formatPlace(id), err
	}
)
