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

// tableSum says what a table must look like. Tail is the checksum of its last
// bytes, which hold its index: damage there would end the process inside Badger,
// so it is looked at before.
type tableSum struct {
	Size int64  `json:"size"`
	Sum  uint32 `json:"sum"` // CRC-32C
	Tail uint32 `json:"tail"`
}

// tailSize is how much of a table's end is checked at every start.
const tailSize = 32 << 10

// tableSums are the checksums of the database's tables by file name. A table
// never changes once it is written, so a sum that differs is damage. The files
// are read, not mapped: checking a large store does not fill the memory.
type tableSums map[string]tableSum

// readTableSums reads what was noted at the last orderly end. After a crash it
// is of no use: a table may have gone since, and another have got its name. A
// file that cannot be read is as good as none, for the sums only add to what
// Badger checks itself.
func readTableSums(dir string, id identity) tableSums {
	sums := tableSums{}
	b, err := os.ReadFile(filepath.Join(dir, tablesFile))
	if id.Clean == "" || err != nil || json.Unmarshal(b, &sums) != nil {
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

// checkTails compares the ends of the tables that are there.
func (t tableSums) checkTails(dir string) error {
	for name, want := range t {
		f, err := os.Open(filepath.Join(dir, "db", name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // merged into another; the MANIFEST says what must be there
		}
		if err != nil {
			return err
		}
		size, tail, err := sumTail(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		if size != want.Size || tail != want.Tail {
			return fmt.Errorf("table %s is not what was written", name)
		}
	}
	return nil
}

func sumTail(f *os.File) (size int64, tail uint32, err error) {
	st, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	b := make([]byte, min(st.Size(), tailSize))
	_, err = f.ReadAt(b, st.Size()-int64(len(b)))
	return st.Size(), crc32.Checksum(b, castagnoli), err
}

// check compares whole tables with their sums until stop is closed.
func (t tableSums) check(dir string, stop <-chan struct{}) error {
	for name, want := range t {
		select {
		case <-stop:
			return ErrClosed
		default:
		}
		got, err := sumFile(filepath.Join(dir, "db", name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
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

func sumFile(path string) (tableSum, error) {
	f, err := os.Open(path)
	if err != nil {
		return tableSum{}, err
	}
	defer f.Close()
	size, tail, err := sumTail(f)
	if err != nil {
		return tableSum{}, err
	}
	sum := crc32.New(castagnoli)
	_, err = io.Copy(sum, f)
	return tableSum{Size: size, Sum: sum.Sum32(), Tail: tail}, err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
