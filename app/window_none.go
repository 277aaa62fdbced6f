//go:build !desktop

package app

import (
	"context"
	"errors"
)

// HasWindow says whether this build can open a window.
const HasWindow = false

// RunWindow is the same word in a build that has no window: an error that says
// what to do instead.
func RunWindow(context.Context, Config) error {
	return errors.New("this build has no window: use telltale serve and a browser, or the desktop build (make desktop)")
}
