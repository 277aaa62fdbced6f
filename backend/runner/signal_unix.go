//go:build unix

package runner

import (
	"fmt"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"telltale/backend/job"
)

// signalFault names the signal that ended a program; nil when none did.
func signalFault(state *os.ProcessState) *job.Error {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return nil
	}
	sig := status.Signal()
	e := &job.Error{
		Code:    "signal",
		Message: fmt.Sprintf("It was ended by signal %d (%s).", int(sig), unix.SignalName(sig)),
		Hint:    "Somebody or something outside of Telltale ended it, or it crashed.",
	}
	if status.CoreDump() {
		e.Message = fmt.Sprintf("It crashed with signal %d (%s) and left a core file.", int(sig), unix.SignalName(sig))
	}
	switch {
	case sig == syscall.SIGKILL:
		e.Hint = "Often the kernel does this when memory runs out: look for “out of memory” in the kernel's log (dmesg)."
	case slices.Contains([]syscall.Signal{syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGILL, syscall.SIGFPE, syscall.SIGABRT, syscall.SIGTRAP}, sig):
		e.Hint = "The program crashed: this is a fault in it, or in a library or file it uses. Read the end of the log."
	case sig == syscall.SIGPIPE:
		e.Hint = "It wrote to something that had ended, such as the right side of a pipe."
	case sig == syscall.SIGXCPU, sig == syscall.SIGXFSZ:
		e.Hint = "It ran into a limit on processor time or file size."
	}
	return e
}
