package feed

import (
	"slices"
	"time"

	"telltale/backend/job"
)

// audience is who a frame is for.
type audience uint8

const (
	toJobs audience = 1 << iota // readers of the topic jobs
	toJob                       // readers of job:<id>
	toLog                       // readers of log:<id>
)

// delivery hands one frame to an audience.
type delivery struct {
	frame *frame
	to    audience
	// before are changes that are held back from the topic jobs. A reader of that
	// topic that gets the frame for another reason gets them first: nothing may
	// be overtaken.
	before []*frame
}

// held are the Minor changes not yet told on the topic jobs: of each job the
// newest, in the order of Seq. There is one pace for all jobs, because a change
// that goes out takes every older one with it.
type held struct {
	frames []*frame
	told   time.Time   // when Minor changes last went out
	timer  *time.Timer // runs while frames is not empty
}

// forget takes the job's change out. The slice is copied: shards may still be
// reading it as what comes before a delivery.
func (p *held) forget(id job.ID) {
	i := slices.IndexFunc(p.frames, func(f *frame) bool { return f.job == id })
	if i >= 0 {
		p.frames = slices.Concat(p.frames[:i], p.frames[i+1:])
	}
}

// hold tells of a Minor change: at once to those who want every change, and to
// the topic jobs when the pace allows. Hub.mu is held.
func (h *Hub) hold(f *frame) {
	h.held.forget(f.job)
	h.deliver(delivery{frame: f, to: toJob, before: h.held.frames})
	h.held.frames = append(slices.Clip(h.held.frames), f) // shared, see forget
	wait := h.options.Pace - time.Since(h.held.told)
	if wait <= 0 {
		h.release()
		return
	}
	if len(h.held.frames) == 1 {
		h.held.timer = time.AfterFunc(wait, h.paced)
	}
}

// paced is run by the timer.
func (h *Hub) paced() {
	defer h.recovered("tell held changes")
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed && time.Since(h.held.told) >= h.options.Pace {
		h.release()
	}
}

// release tells the topic jobs everything that was held back. Hub.mu is held.
func (h *Hub) release() {
	if len(h.held.frames) == 0 {
		return
	}
	frames := h.held.frames
	h.held.frames, h.held.told = nil, time.Now()
	if h.held.timer != nil {
		h.held.timer.Stop()
	}
	for _, f := range frames {
		h.deliver(delivery{frame: f, to: toJobs})
	}
}

// asked reports whether anybody wants the job's log. Hub.mu is held.
func (h *Hub) asked(id job.ID) bool {
	return len(h.boxes.log[id]) > 0 || h.fleet.logs(id)
}

// deliver puts a frame into the mailboxes and shards of its audience.
// Hub.mu is held.
func (h *Hub) deliver(d delivery) {
	if d.to&toJobs != 0 {
		for m := range h.boxes.jobs {
			if m.interest.wants(d.frame.event.Job.Action) {
				h.put(m, d.frame)
			}
		}
	}
	if d.to&toJob != 0 {
		for m := range h.boxes.job[d.frame.job] {
			for _, f := range d.before {
				if m.interest.wants(f.event.Job.Action) {
					h.put(m, f)
				}
			}
			h.put(m, d.frame)
		}
	}
	if d.to&toLog != 0 {
		for m := range h.boxes.log[d.frame.job] {
			h.put(m, d.frame)
		}
	}
	h.fleet.post(d, h.options.Feed)
}

func (h *Hub) put(m *Mailbox, f *frame) {
	c := h.open[m]
	if c != nil {
		f.encode(h.options.Feed)
	}
	if m.put(f) {
		return
	}
	h.drop(m, ErrOverrun)
	if c != nil {
		h.count.overrun.Add(1)
	}
}
