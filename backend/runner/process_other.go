//go:build !unix

package runner

import (
	"context"
	"os/exec"
	"sync/atomic"

	"telltale/backend/job"
)

// kernel is what this system offers to hold a tree of processes: nothing we use.
type kernel struct{}

func newKernel(int) kernel { return kernel{} }

// tree is one program: its children cannot be followed here.
type tree struct {
	cmd   *exec.Cmd
	ended atomic.Bool
}

func (h *host) plant(job.ID) *tree { return &tree{} }

func (t *tree) prepare(cmd *exec.Cmd) { t.cmd = cmd }

func (t *tree) fallBack() bool { return false }

func (t *tree) started(int) {}

// awaitEnd returns when the program ended and its output did, or was waited
// for long enough.
func (t *tree) awaitEnd() (reap func() error) {
	err := t.cmd.Wait()
	t.ended.Store(true)
	return func() error { return err }
}

// settled reports whether nothing is left of a program that ended.
func (t *tree) settled() bool { return !t.alive() }

func (t *tree) alive() bool { return !t.ended.Load() }

func (t *tree) members() []int {
	if t.alive() {
		return []int{t.cmd.Process.Pid}
	}
	return nil
}

// terminate cannot ask politely: there is no such signal.
func (t *tree) terminate() { t.kill() }

func (t *tree) kill() { _ = t.cmd.Process.Kill() }

func (t *tree) close() {}

// EndLeftovers ends what an earlier life of Telltale left running. On this
// system such processes cannot be told from others, so it ends none.
func EndLeftovers(context.Context, []job.ID) (map[job.ID]int, error) {
	return map[job.ID]int{}, nil
}
