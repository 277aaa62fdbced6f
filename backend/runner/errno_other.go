//go:build !unix

package runner

import (
	"errors"
	"syscall"
)

func tooLong(err error) bool    { return errors.Is(err, syscall.Errno(206)) } // ERROR_FILENAME_EXCED_RANGE
func malformed(err error) bool  { return errors.Is(err, syscall.EINVAL) }
func notProgram(err error) bool { return errors.Is(err, syscall.Errno(193)) } // ERROR_BAD_EXE_FORMAT
