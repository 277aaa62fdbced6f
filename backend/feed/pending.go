package feed

import (
	"slices"

	"telltale/backend/job"
)

const (
	// maxPendingJobs is how many jobs may have a change waiting for one reader.
	// A reader that is further behind takes the present anew.
	maxPendingJobs = 4096
	// maxPendingLog is how many bytes of log lines may wait for one reader; the
	// oldest go first, and the reader sees the gap in their numbers.
	maxPendingLog = 256 << 10
)

// pending is what waits for one reader: of each job the newest change, and log
// lines, oldest first. A newer change takes the older one out and goes to the
// back. The zero pending is empty.
type pending struct {
	queue    []*frame          // nil where a newer frame took over
	base     uint64            // the position of queue[0]
	at       map[job.ID]uint64 // the position of each job's waiting change
	live     int               // frames in queue that are not nil
	logBytes int
}

// push puts a frame at the back and returns how many older ones it took out.
// fits is false when too many jobs wait; the frame was not taken then.
func (p *pending) push(f *frame) (dropped int, fits bool) {
	if f.lines == nil && f.job != "" {
		if at, waits := p.at[f.job]; waits {
			if p.queue[at-p.base].event.Job.Rev > f.event.Job.Rev {
				return 1, true // shown out of turn, and older than what waits
			}
			p.drop(at)
			dropped++
		}
		if len(p.at) >= maxPendingJobs {
			return dropped, false
		}
		if p.at == nil {
			p.at = map[job.ID]uint64{}
		}
		p.at[f.job] = p.base + uint64(len(p.queue))
	}
	p.queue = append(p.queue, f)
	p.live++
	if f.lines != nil {
		p.logBytes += f.size()
		dropped += p.trimLog()
	}
	p.compact()
	return dropped, true
}

// pop takes the frame at the front, or nil.
func (p *pending) pop() *frame {
	for len(p.queue) > 0 {
		f := p.queue[0]
		p.queue[0] = nil
		p.queue = p.queue[1:]
		p.base++
		if f == nil {
			continue
		}
		p.took(f)
		if p.live == 0 {
			*p = pending{} // an idle reader holds nothing
		}
		return f
	}
	return nil
}

// skip takes out every change with a Seq of at most seq.
func (p *pending) skip(seq uint64) {
	for i, f := range p.queue {
		if f != nil && f.seq > 0 && f.seq <= seq {
			p.drop(p.base + uint64(i))
		}
	}
}

func (p *pending) drop(at uint64) {
	f := p.queue[at-p.base]
	p.queue[at-p.base] = nil
	p.took(f)
}

func (p *pending) took(f *frame) {
	p.live--
	if f.lines != nil {
		p.logBytes -= f.size()
		return
	}
	delete(p.at, f.job)
}

// trimLog takes out the oldest log frames until the rest fits; the newest stays.
func (p *pending) trimLog() int {
	dropped := 0
	for i := 0; i < len(p.queue)-1 && p.logBytes > maxPendingLog; i++ {
		if f := p.queue[i]; f != nil && f.lines != nil {
			p.drop(p.base + uint64(i))
			dropped++
		}
	}
	return dropped
}

// compact closes the gaps once they outnumber the frames.
func (p *pending) compact() {
	if len(p.queue) < 32 || p.live > len(p.queue)/2 {
		return
	}
	p.queue = slices.DeleteFunc(p.queue, func(f *frame) bool { return f == nil })
	for i, f := range p.queue {
		if f.lines == nil && f.job != "" {
			p.at[f.job] = p.base + uint64(i)
		}
	}
}
