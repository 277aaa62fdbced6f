package store

// Verified waits until the check in the background is done.
func (s *Store) Verified() { <-s.verified }

// WithFaults makes every step that may fail on a real disk ask fault first.
func WithFaults(o Options, fault func(step string) error) Options {
	o.fault = fault
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
	ParsePlace = func(s string) (string, error) {
		id, err := parsePlace(s)
		return formatPlace(id), err
	}
)
