package cli

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"telltale/backend/job"
)

// page is a stream that several goroutines write to.
type page struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

func TestTheLiveLineIsRedrawnTenTimesASecondAtMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out page
		l := startLive(&out, false, func() int { return 80 })
		for i := range 2000 { // a job that changes a thousand times a second
			l.show(pushing(float64(i) / 20))
			time.Sleep(time.Millisecond)
		}
		l.end()
		drawn := strings.Count(out.String(), "Push → berlin")
		if drawn < 15 || drawn > 21 {
			t.Errorf("in two seconds the line was drawn %d times", drawn)
		}
		if !strings.HasSuffix(out.String(), clearLine+showCursor) {
			t.Error("the line is not cleared, or the cursor stays hidden")
		}
		if strings.Contains(out.String(), "\n") {
			t.Error("the live line left its line")
		}
	})
}

func TestWithoutATerminalEachChangeIsALineOnce(t *testing.T) {
	t.Parallel()
	var out page
	v := newView(&out)
	queued := pushing(0)
	queued.State, queued.Phase, queued.Progress = job.Queued, "", nil
	ended := pushing(100)
	ended.State = job.Succeeded
	for _, j := range []job.Job{queued, pushing(0), pushing(3), pushing(11), pushing(19), pushing(100), ended} {
		v.show(j)
	}
	v.trouble("no word from the server, trying again")
	v.trouble("")
	v.end()
	want := `Push → berlin: queued
Push → berlin: running: Writing objects 0%
Push → berlin: running: Writing objects 10%
Push → berlin: running: Writing objects 100%
no word from the server, trying again
`
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out.String(), want)
	}
}
