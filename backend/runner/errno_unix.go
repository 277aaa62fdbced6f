//go:build unix

package runner

import (
	"errors"
	"syscall"
)

func tooLong(err error) bool    { return errors.Is(err, syscall.E2BIG) }
func malformed(err error) bool  { return errors.Is(err, syscall.EINVAL) }
func notProgram(err error) bool { return errors.Is(err, syscall.ENOEXEC) }
