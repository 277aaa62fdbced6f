package app

import (
	"errors"

	"telltale/backend/store"
)

// Owned reports whether an error of Open says that another process owns the
// data directory. Between the moment it takes the directory and the moment its
// socket answers, and again while it closes, Connect finds nobody; so a caller
// that is told so may ask once more.
func Owned(err error) bool {
	var locked *store.LockedError
	return errors.As(err, &locked)
}
