package runner

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"telltale/backend/job"
)

// setups runs a test with and without control groups: the machine of a reader
// may have none.
func setups(t *testing.T, f func(t *testing.T, b *bench)) {
	t.Helper()
	for _, name := range []string{"control group", "no control group"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			if name == "no control group" {
				b.runners.host.kernel = &cgroups{}
			} else if b.runners.host.kernel.unified == "" {
				t.Skip("no control groups can be made here")
			}
			f(t, b)
		})
	}
}

// gone fails unless the process that a line of the log names ("word pid") is
// gone.
func (b *bench) gone(t *testing.T, word string) {
	t.Helper()
	line := b.await(t, word+" ")
	pid, err := strconv.Atoi(strings.Fields(line)[1])
	if err != nil {
		t.Fatalf("line %q names no pid", line)
	}
	if p, ok := look(pid); ok && p.marked(b.id) {
		t.Errorf("%s, pid %d, is still alive", word, pid)
	}
}

func TestR39_SetsidDaemonIsGoneOnCancel(t *testing.T) {
	t.Parallel()
	setups(t, func(t *testing.T, b *bench) {
		t.Helper()
		b.script(`setsid sh -c 'echo daemon $$; exec sleep 3600' & echo leader $$; wait`)
		stop := b.start()
		b.await(t, "daemon ")
		canceled(t, stop)
		b.gone(t, "daemon")
		b.gone(t, "leader")
	})
}

func TestR40_DoubleForkWithClosedOutputIsGoneOnCancel(t *testing.T) {
	t.Parallel()
	setups(t, func(t *testing.T, b *bench) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "pid")
		b.action.Command.Env = map[string]string{"FILE": file}
		b.script(`(setsid sh -c 'sleep 3600 <&- >&- 2>&- & echo $! >"$FILE.new"; mv "$FILE.new" "$FILE"' &)
while [ ! -s "$FILE" ]; do sleep 0.01; done
echo daemon $(cat "$FILE"); sleep 3600`)
		stop := b.start()
		b.await(t, "daemon ")
		canceled(t, stop)
		b.gone(t, "daemon")
	})
}

func TestR41_CommandThatIgnoresTERMIsKilledAfterGrace(t *testing.T) {
	t.Parallel()
	setups(t, func(t *testing.T, b *bench) {
		t.Helper()
		b.action.Command.Argv = self("deaf")
		stop := b.start()
		b.await(t, "ready ")
		before := time.Now()
		canceled(t, stop)
		if took := time.Since(before); took < b.action.Grace || took > 20*time.Second {
			t.Errorf("it took %v with %v of grace", took, b.action.Grace)
		}
		b.gone(t, "ready")
	})
}

func TestACommandThatObeysTERMMayCleanUp(t *testing.T) {
	t.Parallel()
	setups(t, func(t *testing.T, b *bench) {
		t.Helper()
		b.action.Grace = time.Minute
		b.script(`trap 'echo cleaned; exit 0' TERM; echo ready $$; while :; do sleep 0.01; done`)
		stop := b.start()
		b.await(t, "ready")
		canceled(t, stop)
		if !strings.Contains(b.text(), "cleaned") {
			t.Errorf("log %q", b.text())
		}
	})
}

func TestR42_StoppedChildIsGoneOnCancel(t *testing.T) {
	t.Parallel()
	setups(t, func(t *testing.T, b *bench) {
		t.Helper()
		b.script(`sh -c 'trap "" TERM; echo child $$; kill -STOP $$; sleep 3600' & wait`)
		stop := b.start()
		b.await(t, "child ")
		canceled(t, stop)
		b.gone(t, "child")
	})
}

func TestR43_OrphanThatHoldsThePipeIsEndedAndCounted(t *testing.T) {
	t.Parallel()
	setups(t, func(t *testing.T, b *bench) {
		t.Helper()
		b.script(`sleep 3600 & echo orphan $!; setsid sleep 3600 & echo other $!; exit 0`)
		before := time.Now()
		o := b.run()
		if took := time.Since(before); took > linger+20*time.Second {
			t.Errorf("it took %v", took)
		}
		if o.State != job.Warning || len(b.warnings) != 1 || !strings.Contains(b.warnings[0].Message, "2 processes") {
			t.Errorf("outcome %+v, warnings %+v", o, b.warnings)
		}
		if !strings.Contains(b.text(), "2 processes left running by the command; ended.") {
			t.Errorf("log %q", b.text())
		}
		b.gone(t, "orphan")
		b.gone(t, "other")
	})
}

func TestAProcessThatEndsSoonAfterItsCommandIsWaitedFor(t *testing.T) {
	t.Parallel()
	setups(t, func(t *testing.T, b *bench) {
		t.Helper()
		b.script(`(sleep 0.2; echo late) & exit 0`)
		if o := b.run(); o.State != job.Succeeded || b.text() != "late\n" {
			t.Errorf("outcome %+v, log %q", o, b.text())
		}
	})
}

func TestR44_ForkBombIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t, self("bomb", "300")...)
	k := findCgroups(64)
	b.runners.host.kernel = k
	g := k.make(b.id)
	if g == nil {
		t.Skip("no control groups can be made here")
	}
	_, err := os.Stat(filepath.Join(g.dir, "pids.max"))
	g.remove()
	if err != nil && k.pids == "" {
		t.Skip("the number of processes cannot be bounded here")
	}
	stop := b.start()
	line := b.await(t, "started ")
	n, err := strconv.Atoi(strings.Fields(line)[1])
	if err != nil || n == 0 || n >= 64 {
		t.Errorf("it could start %d processes with a bound of 64", n)
	}
	canceled(t, stop)
	if left := leftovers(k, map[job.ID]bool{b.id: true}); len(left) > 0 {
		t.Errorf("%d processes are left", len(left))
	}
}

func TestAForkBombWithoutABoundIsEnded(t *testing.T) {
	t.Parallel()
	b := setup(t, self("bomb", "100")...)
	b.runners.host.kernel = &cgroups{}
	stop := b.start()
	b.await(t, "started 100")
	canceled(t, stop)
	if left := leftovers(&cgroups{}, map[job.ID]bool{b.id: true}); len(left) > 0 {
		t.Errorf("%d processes are left", len(left))
	}
}

func TestR69_LeftoversOfADeadLifeAreEnded(t *testing.T) {
	t.Parallel()
	b, stranger := setup(t), setup(t)
	left := leftover(t, b.id, `setsid sh -c 'sleep 3600 & echo; env -i sleep 3600' & wait`)
	other := leftover(t, stranger.id, `echo; sleep 3600`)
	counts, err := EndLeftovers(t.Context(), []job.ID{b.id})
	if err != nil || counts[b.id] < 3 || len(counts) != 1 {
		t.Errorf("counts %v, %v", counts, err)
	}
	if p, ok := look(left.Process.Pid); ok {
		t.Errorf("%+v is still alive", p)
	}
	if _, ok := look(other.Process.Pid); !ok {
		t.Error("the process of a job that was not named is gone")
	}
	if counts, err := EndLeftovers(t.Context(), []job.ID{b.id}); err != nil || len(counts) != 0 {
		t.Errorf("the second time: %v, %v", counts, err)
	}
}

// leftover starts a script as an earlier life of Telltale would have, and
// returns once it has printed a line.
func leftover(t *testing.T, id job.ID, script string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), jobVariable + "=" + string(id)}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	return cmd
}

func TestR70_AStrangerWithTheSamePidIsNotKilled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stranger := exec.CommandContext(t.Context(), "sleep", "3600")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stranger.Process.Kill(); _ = stranger.Wait() })
	pid := stranger.Process.Pid

	if counts, err := EndLeftovers(t.Context(), []job.ID{b.id}); err != nil || len(counts) != 0 {
		t.Errorf("counts %v, %v", counts, err)
	}
	now, ok := look(pid)
	if !ok {
		t.Fatal("the stranger is gone")
	}
	before := now
	before.start-- // the process that had the pid first
	before.signal(9)
	if _, ok := look(pid); !ok {
		t.Error("a signal meant for an earlier process reached the stranger")
	}
}

func TestAProcessOfAnotherJobIsNotTouched(t *testing.T) {
	t.Parallel()
	setups(t, func(t *testing.T, b *bench) {
		t.Helper()
		neighbour := setup(t).script(`echo ready $$; sleep 3600`)
		stopNeighbour := neighbour.start()
		neighbour.await(t, "ready")
		b.script(`echo mine; sleep 3600`)
		stop := b.start()
		b.await(t, "mine")
		canceled(t, stop)
		fields := strings.Fields(neighbour.text())
		pid, _ := strconv.Atoi(fields[1])
		if _, ok := look(pid); !ok {
			t.Error("the neighbour is gone")
		}
		canceled(t, stopNeighbour)
	})
}

func TestStopSaysWhy(t *testing.T) {
	t.Parallel()
	for cause, want := range map[error]job.State{ErrCanceled: job.Canceled, ErrTimeout: job.Failed, ErrShutdown: job.Interrupted} {
		b := setup(t, "sleep", "3600")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		if o := b.runners.Run(ctx, b.task(), b.watch); o.State != want {
			t.Errorf("%v before the start: %+v", cause, o)
		}
		if o := b.start()(cause); o.State != want {
			t.Errorf("%v: %+v", cause, o)
		}
	}
}

func TestWhatCannotBeEndedIsSaid(t *testing.T) {
	t.Parallel()
	for cause, want := range map[error]job.State{ErrCanceled: job.Failed, ErrTimeout: job.Failed, ErrShutdown: job.Interrupted} {
		o := unended(Stopped(cause, time.Minute), []int{12, 34})
		if o.State != want || o.Error.Code != "not_ended" || !strings.Contains(o.Error.Message, "12, 34") || o.Error.Hint == "" {
			t.Errorf("%v: %+v %+v", cause, o, o.Error)
		}
	}
}

func TestNoCoreFileIsWritten(t *testing.T) {
	t.Parallel()
	b := setup(t).script("sleep 0.1; ulimit -c")
	b.run()
	if strings.TrimSpace(b.text()) != "0" {
		t.Errorf("limit %q", b.text())
	}
}

func TestNoControlGroupIsLeftBehind(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"", "sleep 0.005", "sleep 0.05 & sleep 0.03"} { // about when a bound is set, and after
		b := setup(t).script("true; " + script)
		k := b.runners.host.kernel
		if k.unified == "" {
			t.Skip("no control groups can be made here")
		}
		for range 5 {
			b.run()
		}
		for _, base := range []string{k.unified, k.pids} {
			if base == "" {
				continue
			}
			if _, err := os.Stat(k.dir(base, b.id)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%q: %s: %v", script, k.dir(base, b.id), err)
			}
		}
	}
}

func TestBrieflyLivedProgramsAreFoundByPid(t *testing.T) {
	t.Parallel()
	last := lastPID()
	if last <= 0 {
		t.Fatal("no last pid")
	}
	if all := between(os.Getpid(), os.Getpid()); len(all) != 1 || all[0].pid != os.Getpid() {
		t.Errorf("%+v", all)
	}
	if text, err := readSmall("/proc/self/stat"); err != nil || !bytes.HasPrefix(text, []byte(strconv.Itoa(os.Getpid()))) {
		t.Errorf("%q, %v", text, err)
	}
}
