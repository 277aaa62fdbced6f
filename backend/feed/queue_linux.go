//go:build linux && (amd64 || arm64)

package feed

import (
	"slices"

	"telltale/backend/job"
)

// maxQueuedLog is how many bytes of log lines may wait for a shard.
const maxQueuedLog = 4 << 20

// conflate drops deliveries of a shard that cannot keep up: changes of a job
// that newer ones take over for everybody they were for, and the oldest log
// lines. The order of what is left stays, so nothing is overtaken.
func conflate(queue []task) []task {
	told := map[job.ID]audience{}
	logged := 0
	for i := len(queue) - 1; i >= 0; i-- {
		f, to := queue[i].frame, queue[i].to
		switch {
		case queue[i].do != nil:
		case f.lines != nil:
			if logged += len(f.wire); logged > maxQueuedLog {
				queue[i] = task{}
			}
		case told[f.job]&to == to:
			queue[i] = task{}
		default:
			told[f.job] |= to
		}
	}
	return slices.DeleteFunc(queue, func(t task) bool { return t.do == nil && t.frame == nil })
}
