//go:build unix

package runner

import (
	"bytes"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"telltale/backend/job"
)

// BenchmarkTrue runs /bin/true through the command runner and, turn by turn,
// bare with pipes. "ratio" is how much of the bare rate is reached, "cpu-ratio"
// how much of the bare processor time is enough, children included; more is
// better, 1 is the floor itself. On a busy machine the second is the steadier.
func BenchmarkTrue(b *testing.B) {
	x := setup(b, "/bin/true")
	task := x.task()
	w := &counter{}
	var ours, bare spent
	for b.Loop() {
		ours.add(func() {
			if o := x.runners.Run(b.Context(), task, w); o.State != job.Succeeded {
				b.Fatalf("%+v", o)
			}
		})
		bare.add(func() {
			var stdout, stderr bytes.Buffer
			cmd := exec.CommandContext(b.Context(), "/bin/true")
			cmd.Env = os.Environ()
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); err != nil {
				b.Fatal(err)
			}
		})
	}
	b.ReportMetric(bare.wall/ours.wall, "ratio")
	b.ReportMetric(bare.cpu/ours.cpu, "cpu-ratio")
	b.ReportMetric(float64(b.N)/ours.wall, "jobs/s")
	b.ReportMetric(float64(b.N)/bare.wall, "bare/s")
	b.ReportMetric(0, "ns/op")
}

// spent is time in seconds.
type spent struct{ wall, cpu float64 }

func (s *spent) add(f func()) {
	before, at := used(), time.Now()
	f()
	s.wall += time.Since(at).Seconds()
	s.cpu += used() - before
}

// used is the processor time of this process and its children that ended.
func used() float64 {
	total := 0.0
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			total += float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
		}
	}
	return total
}

// BenchmarkTrueParallel is how long one takes with as many at a time as there
// are processors.
func BenchmarkTrueParallel(b *testing.B) {
	x := setup(b, "/bin/true")
	b.RunParallel(func(pb *testing.PB) {
		w := &counter{}
		mine := x.task()
		mine.Job = setup(b, "/bin/true").id
		for pb.Next() {
			if o := x.runners.Run(b.Context(), mine, w); o.State != job.Succeeded {
				b.Fatalf("%+v", o)
			}
		}
	})
}
