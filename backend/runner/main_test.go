package runner

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be the program that is run: with "child" as its
// first argument it does what the second says and ends.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		child(os.Args[2], os.Args[3:])
		return
	}
	m.Run()
}

func child(what string, args []string) {
	n := 0
	if len(args) > 0 {
		n, _ = strconv.Atoi(args[0])
	}
	switch what {
	case "flood": // n MiB in lines of the second argument
		block := bytes.Repeat([]byte(args[1]+"\n"), (1<<16)/(len(args[1])+1)+1)
		for left := n << 20; left > 0; left -= len(block) {
			os.Stdout.Write(block)
		}
		fmt.Fprintln(os.Stdout, "the very last line")
	case "endless": // n MiB without a line end
		block := bytes.Repeat([]byte("x"), 1<<16)
		for range n << 4 {
			os.Stdout.Write(block)
		}
	case "deaf": // to every polite signal
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		fmt.Fprintln(os.Stdout, "ready", os.Getpid())
		<-time.After(time.Hour)
	case "say": // the arguments, each as it is
		for _, a := range args {
			fmt.Fprintln(os.Stdout, a)
		}
	case "bomb": // starts up to n copies of a sleeper and tells how many it could
		started := 0
		for range n {
			if err := exec.CommandContext(context.Background(), "sleep", "3600").Start(); err != nil {
				break
			}
			started++
		}
		fmt.Fprintln(os.Stdout, "started", started)
		<-time.After(time.Hour)
	}
}
