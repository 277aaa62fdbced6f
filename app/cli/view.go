package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"telltale/backend/job"
)

// view shows a job while it is followed. Its methods may be called at once.
type view interface {
	show(j job.Job)
	trouble(why string) // "" when it is over
	end()               // leaves the place to what comes after
}

// newView is a living line on a terminal, and a line per change elsewhere.
func newView(w io.Writer) view {
	if !terminal(w) {
		return &report{w: w}
	}
	return startLive(w, painter(w), func() int { return width(w) })
}

// live redraws one line ten times a second at most, however often the job
// changes.
type live struct {
	w       io.Writer
	p       paint
	columns func() int
	stop    chan struct{}
	stopped chan struct{}

	mu  sync.Mutex // guards job, why
	job job.Job
	why string
}

const (
	redraw     = 100 * time.Millisecond
	clearLine  = "\r\x1b[K"
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
)

func startLive(w io.Writer, p paint, columns func() int) *live {
	l := &live{w: w, p: p, columns: columns, stop: make(chan struct{}), stopped: make(chan struct{})}
	go l.draw()
	return l
}

func (l *live) draw() {
	defer close(l.stopped)
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	fmt.Fprint(l.w, hideCursor)
	defer fmt.Fprint(l.w, clearLine+showCursor)
	for frame := 0; ; frame++ {
		l.mu.Lock()
		j, why := l.job, l.why
		l.mu.Unlock()
		if j.ID != "" {
			// One column stays free: a full line would wrap on some terminals.
			fmt.Fprint(l.w, clearLine+liveLine(j, time.Now(), frame, l.columns()-1, l.p, why))
		}
		select {
		case <-tick.C:
		case <-l.stop:
			return
		}
	}
}

func (l *live) show(j job.Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.job = j
}

func (l *live) trouble(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.why = why
}

func (l *live) end() {
	close(l.stop)
	<-l.stopped
}

// report writes a line when something a reader of a file wants to know changed.
type report struct {
	w io.Writer

	mu   sync.Mutex // guards last and the order of lines
	last string
}

func (r *report) show(j job.Job) {
	if j.State.Final() {
		return // the outcome says it
	}
	r.line(change(j))
}

func (r *report) trouble(why string) {
	if why != "" {
		r.line(why)
	}
}

func (r *report) end() {}

func (r *report) line(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s != r.last {
		r.last = s
		fmt.Fprintln(r.w, s)
	}
}
