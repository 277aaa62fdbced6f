package store

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// memtable is how many bytes Badger gathers in memory before it writes a table.
// Its write-ahead log is a file of twice that.
const memtable = 8 << 20

// openBadger opens the database of a directory, or one in memory.
func openBadger(o Options) (*badger.DB, error) {
	dir := ""
	if o.Dir != "" {
		dir = filepath.Join(o.Dir, "db")
	}
	opts := badger.DefaultOptions(dir).
		WithInMemory(o.Dir == "").
		WithLogger(badgerLog{o.Log}).
		WithSyncWrites(true). // the default loses what was acknowledged on a power cut
		WithMemTableSize(memtable).
		WithNumMemtables(3).
		WithBaseTableSize(1 << 19).     // compressed; while it is written a table takes many times that in memory
		WithValueThreshold(1 << 20).    // everything in the tree: errors of the value log are swallowed
		WithValueLogFileSize(16 << 20). // unused, but allocated where files are not sparse
		WithNumVersionsToKeep(1).
		WithDetectConflicts(false). // there is one writer
		WithCompression(options.ZSTD).
		WithZSTDCompressionLevel(1).
		WithBlockSize(16 << 10). // records are alike: larger blocks compress far better
		WithBlockCacheSize(32 << 20).
		WithIndexCacheSize(16 << 20).
		WithNumCompactors(2).
		WithNumLevelZeroTables(3).
		WithNumLevelZeroTablesStall(8).
		WithVerifyValueChecksum(true).
		WithMetricsEnabled(false). // its counters are global to the process
		WithChecksumVerificationMode(options.OnBlockRead)
	if o.Dir == "" {
		opts = opts.WithCompression(options.None) // nothing to save, and its encoder is global to the process
	}
	db, err := badger.Open(opts)
	if err != nil && strings.Contains(err.Error(), "Create a new file") {
		db, err = badger.Open(opts) // badger issue 2207: the second try finds the file
	}
	// The directory is locked for us by now, so whoever holds Badger's own lock
	// is a program of ours that is just being started, for an instant.
	for wait := time.Millisecond; isLocked(err) && wait < time.Second; wait *= 2 {
		time.Sleep(wait)
		db, err = badger.Open(opts)
	}
	if err != nil {
		return nil, err // what comes with an error is no database
	}
	return db, nil
}

func isLocked(err error) bool {
	return err != nil && strings.Contains(err.Error(), "Cannot acquire directory lock")
}
