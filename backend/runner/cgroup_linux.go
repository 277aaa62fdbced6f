package runner

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"telltale/backend/job"
)

// cgroups is where control groups for jobs can be made: below our own, in the
// unified hierarchy (cgroups v2), and beside it for the number of processes in
// the pids controller of v1 where that is the one in use. Empty paths mean that
// there is none.
type cgroups struct {
	unified string
	pids    string // v1
	most    int    // processes of a job; 0 is no limit
}

// cgroup is the control group of one job.
type cgroup struct {
	dir string
	fd  int

	most  int         // what twin bounds
	timer *time.Timer // when twin is made
	mu    sync.Mutex  // guards dir's end, and ended
	ended bool
	twin  string // the v1 group that bounds the number of processes; "" is none
}

// briefly is how long a program may run before it is put under the v1 limit.
// Entering such a group takes about as long as starting a program, and most
// programs that end sooner need no bound. A fork bomb is caught with all it has
// started by then.
const briefly = 5 * time.Millisecond

// findCgroups finds out what this machine lets us do.
func findCgroups(most int) *cgroups {
	c := &cgroups{most: most}
	own := ownCgroups()
	mounts, _ := os.ReadFile("/proc/self/mountinfo") // no mounts, no control groups
	for line := range strings.Lines(string(mounts)) {
		before, after, found := strings.Cut(line, " - ")
		f, kind := strings.Fields(before), strings.Fields(after)
		if !found || len(f) < 5 || len(kind) < 3 {
			continue
		}
		switch {
		case kind[0] == "cgroup2" && c.unified == "":
			c.unified = below(f[3], f[4], own[""])
		case kind[0] == "cgroup" && strings.Contains(","+kind[2]+",", ",pids,"):
			c.pids = below(f[3], f[4], own["pids"])
		}
	}
	c.unified, c.pids = usable(c.unified), usable(c.pids)
	if c.unified != "" {
		// Fails where our own group has processes and a parent, as it mostly
		// has; then the number of processes stays unbounded.
		_ = os.WriteFile(filepath.Join(c.unified, "cgroup.subtree_control"), []byte("+pids"), 0)
	}
	return c
}

// ownCgroups is the path of our own group by controller; "" is the unified one.
func ownCgroups() map[string]string {
	text, _ := os.ReadFile("/proc/self/cgroup") // no file, no control groups
	own := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if f := strings.SplitN(strings.TrimSpace(line), ":", 3); len(f) == 3 {
			for controller := range strings.SplitSeq(f[1], ",") {
				own[controller] = f[2]
			}
		}
	}
	return own
}

// below is the directory of group in a hierarchy of which root is mounted at
// the given point.
func below(root, point, group string) string {
	rel, err := filepath.Rel(root, group)
	if group == "" || err != nil || strings.HasPrefix(rel, "..") {
		return ""
	}
	return filepath.Join(point, rel)
}

// usable is dir when groups can be made in it, else "".
func usable(dir string) string {
	if dir == "" {
		return ""
	}
	probe := filepath.Join(dir, "telltale-probe-"+strconv.Itoa(os.Getpid()))
	if os.Mkdir(probe, 0o755) != nil {
		return ""
	}
	if os.Remove(probe) != nil {
		return ""
	}
	return dir
}

// make makes the group of a job, or returns nil where there are none.
func (c *cgroups) make(id job.ID) *cgroup {
	if c.unified == "" {
		return nil
	}
	g := &cgroup{dir: c.dir(c.unified, id), most: c.most, fd: -1}
	if err := os.Mkdir(g.dir, 0o755); err != nil && !os.IsExist(err) {
		return nil
	}
	fd, err := unix.Open(g.dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		g.remove()
		return nil
	}
	g.fd = fd
	if c.most == 0 || os.WriteFile(filepath.Join(g.dir, "pids.max"), []byte(strconv.Itoa(c.most)), 0) == nil {
		return g
	}
	if c.pids != "" {
		g.twin = c.dir(c.pids, id)
	}
	return g
}

func (c *cgroups) dir(base string, id job.ID) string {
	return filepath.Join(base, "telltale-"+filepath.Base(string(id)))
}

// open is the group an earlier life made for a job; it may not exist.
func (c *cgroups) open(id job.ID) *cgroup {
	g := &cgroup{fd: -1}
	if c.unified != "" {
		g.dir = c.dir(c.unified, id)
	}
	if c.pids != "" {
		g.twin = c.dir(c.pids, id)
	}
	return g
}

// started puts the processes under the v1 limit, in a while.
func (g *cgroup) started() {
	if g.twin != "" {
		g.timer = time.AfterFunc(briefly, g.bound)
	}
}

// bound moves the processes. They may fork meanwhile, so it goes on until it
// finds nobody outside.
func (g *cgroup) bound() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended {
		return
	}
	if err := os.Mkdir(g.twin, 0o755); err != nil && !os.IsExist(err) {
		return
	}
	_ = os.WriteFile(filepath.Join(g.twin, "pids.max"), []byte(strconv.Itoa(g.most)), 0)
	in := map[int]bool{}
	for range 20 {
		before := len(in)
		for pid := range g.pids() {
			if !in[pid] {
				in[pid] = true
				_ = os.WriteFile(filepath.Join(g.twin, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
			}
		}
		if len(in) == before {
			return
		}
	}
}

// populated reports whether a process lives in the group.
func (g *cgroup) populated() bool {
	text, err := readSmall(filepath.Join(g.dir, "cgroup.events"))
	return err == nil && bytes.Contains(text, []byte("populated 1"))
}

// pids lists the processes in the group and in groups below it.
func (g *cgroup) pids() map[int]bool {
	in := map[int]bool{}
	if g.dir == "" {
		return in
	}
	_ = filepath.WalkDir(g.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Name() != "cgroup.procs" {
			return nil //nolint:nilerr // a group that went away holds nobody
		}
		text, _ := os.ReadFile(path) // as above
		for line := range bytes.Lines(text) {
			if pid, err := strconv.Atoi(string(bytes.TrimSpace(line))); err == nil && pid > 0 {
				in[pid] = true
			}
		}
		return nil
	})
	return in
}

// kill ends every process of the group at once; false where the kernel cannot
// (before Linux 5.14).
func (g *cgroup) kill() bool {
	return os.WriteFile(filepath.Join(g.dir, "cgroup.kill"), []byte("1"), 0) == nil
}

// remove gives the group up and reports whether it is gone: one that still
// holds a process stays.
func (g *cgroup) remove() bool {
	if g.fd >= 0 {
		_ = unix.Close(g.fd)
		g.fd = -1
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dir != "" && errors.Is(unix.Rmdir(g.dir), unix.EBUSY) {
		return false
	}
	g.dir = ""
	if g.timer != nil {
		g.timer.Stop()
	}
	if g.ended = true; g.twin != "" {
		_ = unix.Rmdir(g.twin)
	}
	return true
}

// kernel is what this system offers to hold a tree of processes together.
type kernel = *cgroups

func newKernel(most int) kernel { return findCgroups(most) }
