//go:build !linux

package store

import "os"

// networkFS does not know here.
func networkFS(string) string { return "" }

// allocate writes zeros: there is no call that reserves space everywhere.
func allocate(f *os.File, size int64) error {
	zeros := make([]byte, 1<<20)
	for at := int64(0); at < size; at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at); err != nil {
			return err
		}
	}
	return nil
}

// allocates is false: the database's own files must not be written over.
const allocates = false
