package runner

import (
	"bytes"
	"errors"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"telltale/backend/job"
)

// tree is everything one program started, found in three ways: its session and
// process group, its control group where there is one, and the variable
// TELLTALE_JOB, which children inherit through setsid and double forks.
type tree struct {
	job    job.ID
	cmd    *exec.Cmd
	group  *cgroup // nil where control groups are not to be had
	leader int     // also the process group and session; not reaped before the end
	began  time.Time
}

// plant makes ready for a program to be started.
func (h *host) plant(id job.ID) *tree { return &tree{job: id, group: h.kernel.make(id)} }

// prepare sets how the program starts: in a session of its own, so that it has
// no terminal to ask anybody, and in its control group from its first moment.
func (t *tree) prepare(cmd *exec.Cmd) {
	t.cmd = cmd
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if t.group != nil {
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, t.group.fd
	}
}

// fallBack gives up the control group after a failed start; false when there
// was none to blame.
func (t *tree) fallBack() bool {
	if t.group == nil {
		return false
	}
	t.group.remove()
	t.group = nil
	return true
}

func (t *tree) started(pid int) {
	t.leader, t.began = pid, time.Now()
	// A core file is as large as the program and holds its secrets.
	_ = unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
	if t.group != nil {
		t.group.started()
	}
}

// awaitEnd returns when the program ended, and how to reap it. Until then its
// pid, and with it the group and the session, belong to nobody else.
func (t *tree) awaitEnd() (reap func() error) {
	for {
		err := unix.Waitid(unix.P_PID, t.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return t.cmd.Wait
		}
	}
}

// settled reports whether nothing is left of a program that ended.
func (t *tree) settled() bool {
	if t.group != nil {
		return t.group.remove()
	}
	return !t.alive()
}

// alive reports whether anything of the tree still runs.
func (t *tree) alive() bool {
	if t.group != nil {
		return t.group.populated()
	}
	return len(t.members()) > 0
}

// members lists what of the tree still runs.
func (t *tree) members() []int {
	var pids []int
	for _, p := range t.find() {
		pids = append(pids, p.pid)
	}
	return pids
}

// find looks for the tree's processes. A program that ran briefly cannot have
// started many, and pids are given out in order: looking at those after its own
// takes microseconds where looking at all takes milliseconds.
func (t *tree) find() []process {
	mine := func(p process) bool {
		return p.session == t.leader || p.group == t.leader || p.marked(t.job)
	}
	if t.group != nil {
		in := t.group.pids()
		return family(everybody(), func(p process) bool { return in[p.pid] || mine(p) })
	}
	if last := lastPID(); time.Since(t.began) < 2*time.Second && last >= t.leader && last-t.leader < 200 {
		return family(between(t.leader, last), mine)
	}
	return family(everybody(), mine)
}

// terminate asks every process of the tree to end, and lets stopped ones go on
// so that they can.
func (t *tree) terminate() {
	for _, p := range t.find() {
		p.signal(unix.SIGTERM)
		p.signal(unix.SIGCONT)
	}
}

// kill ends the tree. What forks faster than it is found is stopped first.
func (t *tree) kill() {
	if t.group != nil && t.group.kill() {
		return
	}
	_ = unix.Kill(-t.leader, unix.SIGKILL)
	killAll(t.find)
}

// killAll ends what find finds: everything is stopped until nothing new turns
// up, then killed.
func killAll(find func() []process) {
	stopped := map[process]bool{}
	for range 100 {
		fresh := false
		for _, p := range find() {
			if !stopped[p.identity()] {
				stopped[p.identity()], fresh = true, true
				p.signal(unix.SIGSTOP)
			}
		}
		if !fresh {
			break
		}
	}
	for _, p := range find() {
		p.signal(unix.SIGKILL)
	}
}

func (t *tree) close() {
	if t.group != nil {
		t.group.remove()
	}
}

// lastPID is the pid that was given out last, or 0.
func lastPID() int {
	text, err := readSmall("/proc/loadavg")
	if err != nil {
		return 0
	}
	last, _ := strconv.Atoi(string(bytes.TrimSpace(text[bytes.LastIndexByte(text, ' ')+1:])))
	return last
}
