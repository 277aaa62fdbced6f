package store_test

import (
	"fmt"
	"os"
	"testing"
)

// TestMain runs the tests, or, when the binary was started by one of them, what
// that test wants done in a process of its own.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == childMark {
		if err := child(os.Args[2], os.Args[3:]); err != nil {
			panic(err)
		}
		return
	}
	m.Run()
}

const childMark = "store-test-child"

// child does one of the errands that need a process of their own.
func child(errand string, args []string) error {
	switch errand {
	case "work":
		return work(args[0])
	case "full":
		return fullLife(args[0])
	case "measure":
		return measure(args[0])
	default:
		return fmt.Errorf("no errand %q", errand)
	}
}
