//go:build !unix

package runner

import (
	"os"

	"telltale/backend/job"
)

// signalFault is nil: programs here are not ended by signals.
func signalFault(*os.ProcessState) *job.Error { return nil }
