package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const tablesFile = "TABLES.json"

// tableSums are the checksums of the database's tables by file name. A table
// never changes once it is written, so a sum that differs is damage. The files
// are read, not mapped: checking a large store does not fill the memory.
type tableSums map[string]string

// readTableSums reads what was noted last; a file that cannot be read is as good
// as none, for it only ever adds to what Badger checks itself.
func readTableSums(dir string) tableSums {
	sums := tableSums{}
	b, err := os.ReadFile(filepath.Join(dir, tablesFile))
	if err != nil || json.Unmarshal(b, &sums) != nil {
		return tableSums{}
	}
	return sums
}

func (t tableSums) write(dir string) error {
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, tablesFile), b)
}

// check compares the tables on disk with their sums until stop is closed.
func (t tableSums) check(dir string, stop <-chan struct{}) error {
	for name, want := range t {
		select {
		case <-stop:
			return ErrClosed
		default:
		}
		got, err := sumFile(filepath.Join(dir, "db", name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // merged into another
		}
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("table %s is not what was written", name)
		}
	}
	return nil
}

// renew is the sums of the tables that are there now; known ones are not read.
func (t tableSums) renew(dir string) (tableSums, error) {
	names, err := filepath.Glob(filepath.Join(dir, "db", "*.sst"))
	if err != nil {
		return nil, err
	}
	now := tableSums{}
	for _, path := range names {
		name := filepath.Base(path)
		sum, known := t[name]
		if !known {
			if sum, err = sumFile(path); err != nil {
				return nil, err
			}
		}
		now[name] = sum
	}
	return now, nil
}

func sumFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	n, err := io.Copy(sum, f)
	return fmt.Sprintf("%08x-%d", sum.Sum32(), n), err
}
