package runner

import (
	"context"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"time"

	"telltale/backend/job"
)

// Options are what the runners need to know. Every field may be zero.
type Options struct {
	// Clock gives the time of log lines and steps; time.Now when nil.
	Clock func() time.Time
	// Environ is Telltale's own environment, as os.Environ gives it. Commands
	// see HOME, USER, LOGNAME, TZ and TMPDIR of it, programs are looked for
	// along its PATH (absolute directories only), and an action may have more
	// of it passed by name. Nothing else of it reaches a command.
	Environ []string
	// Processes is the most processes and threads one job may have at once,
	// where the system can bound it: 512 and 128 for each processor when 0.
	Processes int
	// Log hears of faults in the runners themselves; slog.Default when nil.
	Log *slog.Logger
}

// Runners carries out every kind of action. It is safe for use by several
// goroutines at once; make one for the life of the process.
type Runners struct {
	base
	kinds map[string]Runner
}

var _ Runner = (*Runners)(nil)

// base is what all runners share.
type base struct {
	host  *host
	clock func() time.Time
	log   *slog.Logger
}

// New makes the runners.
func New(o Options) *Runners {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Processes == 0 {
		o.Processes = 512 + 128*runtime.NumCPU()
	}
	b := base{host: newHost(o.Environ, o.Processes), clock: o.Clock, log: o.Log}
	return &Runners{base: b, kinds: map[string]Runner{
		"command": &command{b},
		"git":     &git{b, newLocks()},
		"api":     &api{base: b},
	}}
}

// Run implements Runner by the kind of the action.
func (r *Runners) Run(ctx context.Context, t Task, w Watcher) job.Outcome {
	return r.kinds[t.Action.Kind()].Run(ctx, t, w)
}

// counted is a number and what it counts.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

func processes(n int) string {
	if n == 1 {
		return "1 process"
	}
	return strconv.Itoa(n) + " processes"
}

func pids(all []int) string {
	words := make([]string, 0, 8)
	for _, pid := range all[:min(len(all), 8)] {
		words = append(words, strconv.Itoa(pid))
	}
	return strings.Join(words, ", ")
}
