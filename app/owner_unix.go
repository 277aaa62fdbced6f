//go:build unix

package app

import (
	"fmt"
	"os"
	"syscall"
)

// ownFolder returns an error unless the folder is this user's alone. A folder
// that somebody else made under a name we expect could hold a socket that only
// looks like ours.
func ownFolder(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("folder of the socket: %w", err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(st.Uid) != os.Getuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("folder of the socket: %s belongs to somebody else or others may write to it: remove it, or choose a data folder with a shorter path", path)
	}
	return nil
}
