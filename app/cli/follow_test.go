package cli

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
)

func TestTheFirstCtrlCStopsOurJobAndTheSecondLeavesIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mine bool
		sent []os.Signal
		want string
	}{
		{true, []os.Signal{syscall.SIGINT}, "stop"},
		{true, []os.Signal{syscall.SIGINT, syscall.SIGINT}, "stop leave"},
		{true, []os.Signal{syscall.SIGTERM}, "leave"},
		{true, []os.Signal{syscall.SIGINT, syscall.SIGTERM}, "stop leave"},
		{false, []os.Signal{syscall.SIGINT}, "leave"},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			signals := make(chan os.Signal, 2)
			var did []string
			go heed(ctx, signals, c.mine, func() { did = append(did, "stop") }, func() { did = append(did, "leave") })
			for _, sig := range c.sent {
				signals <- sig
			}
			synctest.Wait()
			cancel()
			synctest.Wait()
			if got := strings.Join(did, " "); got != c.want {
				t.Errorf("mine %v, %v: %s, want %s", c.mine, c.sent, got, c.want)
			}
		})
	}
}
