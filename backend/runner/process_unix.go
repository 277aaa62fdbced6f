//go:build unix && !linux

package runner

import (
	"context"
	"os/exec"
	"syscall"

	"telltale/backend/job"
)

// kernel is what this system offers beyond process groups: nothing we use.
type kernel struct{}

func newKernel(int) kernel { return kernel{} }

// tree is everything one program started, as far as it stayed in its process
// group: a child that begins a session of its own is not found here.
type tree struct {
	cmd    *exec.Cmd
	leader int
}

func (h *host) plant(job.ID) *tree { return &tree{} }

func (t *tree) prepare(cmd *exec.Cmd) {
	t.cmd = cmd
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
}

func (t *tree) fallBack() bool { return false }

func (t *tree) started(pid int) { t.leader = pid }

// awaitEnd returns when the program ended and its output did, or was waited
// for long enough.
func (t *tree) awaitEnd() (reap func() error) {
	err := t.cmd.Wait()
	return func() error { return err }
}

// settled reports whether nothing is left of a program that ended.
func (t *tree) settled() bool { return !t.alive() }

func (t *tree) alive() bool { return syscall.Kill(-t.leader, 0) == nil }

// members names the group once: its processes cannot be listed.
func (t *tree) members() []int {
	if t.alive() {
		return []int{t.leader}
	}
	return nil
}

func (t *tree) terminate() {
	_ = syscall.Kill(-t.leader, syscall.SIGTERM)
	_ = syscall.Kill(-t.leader, syscall.SIGCONT)
}

func (t *tree) kill() { _ = syscall.Kill(-t.leader, syscall.SIGKILL) }

func (t *tree) close() {}

// EndLeftovers ends what an earlier life of Telltale left running. On this
// system such processes cannot be told from others, so it ends none.
func EndLeftovers(context.Context, []job.ID) (map[job.ID]int, error) {
	return map[job.ID]int{}, nil
}
