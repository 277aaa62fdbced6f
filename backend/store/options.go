package store

import (
	"crypto/rand"
	"io"
	"log/slog"
	"time"
)

// Options says how a store is opened. The zero value is a store in memory.
type Options struct {
	// Dir is the data directory; it is made when it is missing (mode 0700).
	// Empty means in memory: everything is gone after Close.
	Dir string
	// Clock tells the time. Defaults to time.Now.
	Clock func() time.Time
	// Rand is where names of new stores come from. Defaults to crypto/rand.
	Rand io.Reader
	// Log is told what nobody is there to return to. Defaults to silence.
	Log *slog.Logger
	// FeedLimit is how many events are kept for readers that come back.
	// Defaults to 100,000.
	FeedLimit int
	// LogQuota is how many bytes of one job's log are kept: a quarter from the
	// beginning, the rest from the end. Defaults to 16 MiB, at least 64 KiB.
	LogQuota int64
	// LogTotal is how many bytes all logs together may take; Prune removes the
	// oldest days' logs above it. Defaults to 4 GiB.
	LogTotal int64
	// AllowNetwork opens a directory on a network file system all the same,
	// where locks and memory maps may not hold what they promise.
	AllowNetwork bool
	// FreeSpace measures the disk that holds a directory, in bytes. Defaults to
	// asking the operating system.
	FreeSpace func(dir string) (free int64, err error)

	// fault is asked before each step that may fail on a real disk; an error
	// makes the step fail. Only tests set it.
	fault func(step string) error
	// floors replace the free-space floors. Only tests set them.
	floors *floors
	// network names the network file system of a directory. Only tests set it.
	network func(dir string) string
	// measured is set when the caller brought FreeSpace.
	measured bool
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.FeedLimit <= 0 {
		o.FeedLimit = 100_000
	}
	if o.LogQuota <= 0 {
		o.LogQuota = 16 << 20
	}
	o.LogQuota = max(o.LogQuota, 64<<10)
	if o.LogTotal <= 0 {
		o.LogTotal = 4 << 30
	}
	o.measured = o.FreeSpace != nil
	if !o.measured {
		o.FreeSpace = freeSpace
	}
	if o.fault == nil {
		o.fault = func(string) error { return nil }
	}
	if o.network == nil {
		o.network = networkFS
	}
	if o.floors == nil {
		o.floors = &floors{soft: 512 << 20, hard: 192 << 20, last: 96 << 20, open: 2*memtable + 128<<20, ballast: 64 << 20}
	}
	return o
}
