//go:build linux && (amd64 || arm64)

package feed

import (
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"telltale/backend/job"
)

// breakShard makes the writer fault the next time it sends to the stream.
func breakShard(s *Stream) *Stream {
	r, ok := s.via.(*reader)
	if !ok {
		return nil
	}
	done := make(chan struct{})
	r.shard.order(func() {
		defer close(done)
		r.first, r.run = 1<<20, 1
		r.shard.dirty = append(r.shard.dirty, r)
	})
	<-done
	return s
}

// A machine that lost its power says nothing. When it is back its kernel answers
// the next heartbeat with a reset; when it is not, TCP_USER_TIMEOUT ends it.
func TestR86_HalfOpenReaderIsNoticedByTheNextHeartbeat(t *testing.T) {
	t.Parallel()
	d := openDesk(t, Options{Beat: 50 * time.Millisecond, Stall: 10 * time.Second})
	c := d.connect(t, "jobs", "")
	s := d.streamOf(c)
	fd := s.via.(*reader).fd
	if ms, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); err != nil || ms != 20_000 {
		t.Errorf("TCP_USER_TIMEOUT is %d, %v", ms, err)
	}
	if n, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT); err != nil || n != unsent {
		t.Errorf("TCP_NOTSENT_LOWAT is %d, %v", n, err)
	}
	raw, err := c.Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	// In repair mode a socket is closed without a word to the other side.
	var refused error
	if err := raw.Control(func(fd uintptr) {
		refused = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_REPAIR, 1)
	}); err != nil {
		t.Fatal(err)
	}
	if refused != nil {
		t.Skipf("a half-open connection cannot be made here: %v", refused)
	}
	d.tell("push-1", job.Running)
	_ = c.Close()
	select {
	case <-s.Done():
	case <-time.After(10 * time.Second):
		t.Error("not noticed")
	}
}

func TestAShardThatCannotKeepUpDropsOnlyWhatIsTakenOver(t *testing.T) {
	t.Parallel()
	tell := func(id job.ID, seq uint64, to audience) task {
		return task{delivery: delivery{frame: &frame{job: id, seq: seq}, to: to}}
	}
	queue := conflate([]task{
		tell("a", 1, toJobs|toJob), // 5 and 6 together take it over
		tell("b", 2, toJobs|toJob), // only job:b hears 4, so it stays
		{do: func() {}},
		tell("a", 3, toJob),
		tell("b", 4, toJob),
		tell("a", 5, toJobs),
		tell("a", 6, toJob),
	})
	var got []uint64
	for _, k := range queue {
		if k.do == nil {
			got = append(got, k.frame.seq)
		}
	}
	if d := cmp.Diff([]uint64{2, 4, 5, 6}, got); d != "" || len(queue) != 5 {
		t.Errorf("%d left: %s", len(queue), d)
	}
}
