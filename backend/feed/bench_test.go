//go:build linux && (amd64 || arm64)

package feed

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkFanOut hands events to many readers over loopback and compares the
// server's cost with a bare write(2) to as many sockets, in interleaved rounds.
// x-floor is the ratio of CPU time per delivery when nothing can be joined.
func BenchmarkFanOut(b *testing.B) {
	for _, readers := range []int{1_000, 10_000} {
		b.Run(fmt.Sprintf("readers=%d", readers), func(b *testing.B) {
			const rounds = 3
			figures := map[string][]float64{}
			note := func(name string, value float64) { figures[name] = append(figures[name], value) }
			for b.Loop() {
				for range rounds {
					var cost [2]time.Duration
					for i, role := range []string{"floor", "feed"} {
						l, size := openLoad(b, role, readers)
						l.inTurn(3)
						cost[i] = l.inTurn(200_000 / readers)
						paced, p50, p99 := l.paced(20_000, 4*time.Second)
						note(role+"-us/op", micros(cost[i]))
						note(role+"-paced-us/op", micros(paced))
						note(role+"-p50-ms", micros(p50)/1000)
						note(role+"-p99-ms", micros(p99)/1000)
						if role == "feed" {
							note("B/reader", size)
							note("flood-us/op", micros(l.flood(1_000_000/readers, 32)))
						}
						l.close()
					}
					note("x-floor", float64(cost[1])/float64(cost[0]))
				}
			}
			b.ReportMetric(0, "ns/op")
			for name, values := range figures {
				slices.Sort(values)
				b.ReportMetric(values[len(values)/2], name)
				if name == "x-floor" {
					b.ReportMetric(values[0], "x-floor-least")
					b.ReportMetric(values[len(values)-1], "x-floor-most")
				}
			}
		})
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
