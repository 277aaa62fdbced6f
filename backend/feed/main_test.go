package feed

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"runtime/pprof"
	"testing"
	"time"
)

// TestMain runs the tests, and then asks that nothing they started is left.
// The benchmarks run this binary again as the server under load.
func TestMain(m *testing.M) {
	if role := os.Getenv(benchRole); role != "" {
		os.Exit(serveBench(role))
	}
	code := m.Run()
	for wait := time.After(10 * time.Second); code == 0; {
		left := leftBehind()
		if left == "" {
			break
		}
		select {
		case <-wait:
			fmt.Fprintln(os.Stderr, "goroutines left behind:\n"+left)
			code = 1
		case <-time.After(10 * time.Millisecond):
		}
	}
	os.Exit(code)
}

var ours = regexp.MustCompile(`feed\.\(\*(shard|courier|Hub|Mailbox)\)`)

// leftBehind is the stacks of goroutines that run code of this package.
func leftBehind() string {
	var all bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&all, 2); err != nil {
		return err.Error()
	}
	var left []byte
	for stack := range bytes.SplitSeq(all.Bytes(), []byte("\n\n")) {
		if ours.Match(stack) {
			left = append(append(left, stack...), "\n\n"...)
		}
	}
	return string(left)
}
