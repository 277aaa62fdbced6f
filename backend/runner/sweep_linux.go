package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"telltale/backend/job"
)

// process is a living process as /proc tells of it. The time it started tells
// it from a later one with the same pid.
type process struct {
	pid, parent, group, session int
	start                       uint64 // clock ticks since boot
}

// identity leaves out what changes while a process lives.
func (p process) identity() process { return process{pid: p.pid, start: p.start} }

// look reads a process; false when there is none or it is dead and unreaped.
func look(pid int) (process, bool) {
	text, err := readSmall("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, false
	}
	// pid (name) state ppid pgrp session ...: the name may hold anything.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 || fields[0][0] == 'Z' || fields[0][0] == 'X' {
		return process{}, false
	}
	number := func(i int) int { n, _ := strconv.Atoi(string(fields[i])); return n }
	start, err := strconv.ParseUint(string(fields[19]), 10, 64)
	return process{pid: pid, parent: number(1), group: number(2), session: number(3), start: start}, err == nil
}

// everybody lists all living processes but this one.
func everybody() []process {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1) // what could be read is what we know
	var all []process
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid != os.Getpid() {
			if p, ok := look(pid); ok {
				all = append(all, p)
			}
		}
	}
	return all
}

// between lists the living processes with a pid from first to last. Threads
// have pids too and are left out.
func between(first, last int) []process {
	var all []process
	for pid := first; pid <= last; pid++ {
		if p, ok := look(pid); ok && leadsThreads(pid) {
			all = append(all, p)
		}
	}
	return all
}

func leadsThreads(pid int) bool {
	text, err := readSmall("/proc/" + strconv.Itoa(pid) + "/status")
	_, after, found := bytes.Cut(text, []byte("\nTgid:"))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	return err == nil && found && string(bytes.TrimSpace(line)) == strconv.Itoa(pid)
}

// family chooses the processes that are mine and all their descendants.
func family(all []process, mine func(process) bool) []process {
	in := make(map[int]bool, len(all))
	var chosen []process
	for _, p := range all {
		if mine(p) {
			in[p.pid] = true
			chosen = append(chosen, p)
		}
	}
	for grew := len(chosen) > 0; grew; {
		grew = false
		for _, p := range all {
			if !in[p.pid] && in[p.parent] {
				in[p.pid], grew = true, true
				chosen = append(chosen, p)
			}
		}
	}
	return chosen
}

// belongs is the job the process was started for, "" for none.
func (p process) belongs() job.ID {
	f, err := os.Open("/proc/" + strconv.Itoa(p.pid) + "/environ")
	if err != nil {
		return ""
	}
	defer f.Close()
	// The kernel bounds an environment at a few MiB.
	text, err := io.ReadAll(io.LimitReader(f, 8<<20))
	if err != nil {
		return ""
	}
	for pair := range bytes.SplitSeq(text, []byte{0}) {
		if id, found := bytes.CutPrefix(pair, []byte(jobVariable+"=")); found {
			return job.ID(id)
		}
	}
	return ""
}

func (p process) marked(id job.ID) bool { return p.belongs() == id }

// signal sends a signal to exactly this process, never to a later one that
// was given the same pid.
func (p process) signal(sig unix.Signal) {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		if errors.Is(err, unix.ENOSYS) && p.same() {
			_ = unix.Kill(p.pid, sig)
		}
		return
	}
	defer unix.Close(fd)
	if p.same() {
		_ = unix.PidfdSendSignal(fd, sig, nil, 0)
	}
}

func (p process) same() bool {
	now, ok := look(p.pid)
	return ok && now.start == p.start
}

// EndLeftovers ends every process that was started for one of the jobs by an
// earlier life of Telltale and is still running, with its descendants, and
// tells how many there were of each job. Processes are known by the variable
// TELLTALE_JOB in the environment they were started with, and by the control
// group of the job where there is one; a pid that was written down proves
// nothing after a restart. It returns an error, beside the counts, when ctx
// ends first or a process cannot be ended.
func EndLeftovers(ctx context.Context, jobs []job.ID) (map[job.ID]int, error) {
	if len(jobs) == 0 {
		return map[job.ID]int{}, nil
	}
	groups := findCgroups(0)
	wanted := make(map[job.ID]bool, len(jobs))
	for _, id := range jobs {
		wanted[id] = true
	}
	counted := map[job.ID]int{}
	seen := map[process]bool{}
	deadline := time.Now().Add(patience)
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		found := leftovers(groups, wanted)
		for p, id := range found {
			if !seen[p.identity()] {
				seen[p.identity()] = true
				counted[id]++
			}
		}
		if len(found) == 0 {
			break
		}
		if time.Now().After(deadline) {
			return counted, fmt.Errorf("end leftover processes: %d still run", len(found))
		}
		killAll(func() []process {
			var all []process
			for p := range leftovers(groups, wanted) {
				all = append(all, p)
			}
			return all
		})
		select {
		case <-ctx.Done():
			return counted, context.Cause(ctx)
		case <-time.After(wait):
		}
	}
	for _, id := range jobs {
		groups.open(id).remove()
	}
	return counted, nil
}

// leftovers finds the processes of the wanted jobs in one look at all.
func leftovers(groups *cgroups, wanted map[job.ID]bool) map[process]job.ID {
	owner := map[int]job.ID{}
	for id := range wanted {
		for pid := range groups.open(id).pids() {
			owner[pid] = id
		}
	}
	all := everybody()
	found := map[process]job.ID{}
	chosen := family(all, func(p process) bool {
		if owner[p.pid] == "" {
			if id := p.belongs(); wanted[id] {
				owner[p.pid] = id
			}
		}
		return owner[p.pid] != ""
	})
	for _, p := range chosen {
		if owner[p.pid] == "" {
			owner[p.pid] = owner[p.parent]
		}
		found[p] = owner[p.pid]
	}
	return found
}

// readSmall reads a file of /proc that is at most a few KiB.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	buf := make([]byte, 8<<10)
	n, err := f.Read(buf)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return buf[:n], nil
}
