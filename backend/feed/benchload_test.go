//go:build linux && (amd64 || arm64)

package feed

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// load is a server of its own process and n readers of it in this one, on one
// epoll loop, so that the load costs as little as it can.
type load struct {
	b      *testing.B
	in     io.WriteCloser
	out    *bufio.Reader
	server *exec.Cmd
	set    int
	fds    []int

	delivered atomic.Int64
	mu        sync.Mutex
	latencies []time.Duration
	done      chan struct{}
}

// firstReaders are connected before the resident set is measured.
const firstReaders = 100

// openLoad starts the server and connects n readers. The bytes are what the
// server's resident set grew by for each of them but the first.
func openLoad(b *testing.B, role string, n int) (l *load, bytesPerReader float64) {
	b.Helper()
	l = &load{b: b, server: exec.CommandContext(b.Context(), os.Args[0]), done: make(chan struct{})}
	l.server.Env = append(os.Environ(), benchRole+"="+role)
	l.server.Stderr = os.Stderr
	var err error
	if l.in, err = l.server.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	out, err := l.server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := l.server.Start(); err != nil {
		b.Fatal(err)
	}
	l.out = bufio.NewReader(out)
	var port int
	if _, err := fmt.Fscanln(l.out, &port); err != nil {
		b.Fatal(err)
	}
	if l.set, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		b.Fatal(err)
	}
	go l.read()
	var few int64 // resident with the first readers: their code and runtime are in then
	for i := range n {
		if i == firstReaders {
			for l.readers() < i {
				pause(time.Millisecond)
			}
			_, _, few = l.stat()
		}
		l.dial(port, byte(2+i%20))
		for i%100 == 0 && i-l.readers() > 100 { // no more than the server's queue takes
			pause(time.Millisecond)
		}
	}
	for l.readers() < n {
		pause(time.Millisecond)
	}
	pause(time.Second) // what connecting left behind settles
	_, _, full := l.stat()
	return l, float64(full-few) / float64(n-firstReaders)
}

func (l *load) close() {
	_ = l.in.Close()
	_ = l.server.Wait()
	for _, fd := range l.fds {
		_ = unix.Shutdown(fd, unix.SHUT_RDWR)
	}
	<-l.done
	for _, fd := range l.fds {
		_ = unix.Close(fd)
	}
	_ = unix.Close(l.set)
}

// pause gives the load's own processor time away: a wait that spins would be
// measured as the server's latency.
func pause(d time.Duration) { <-time.After(d) }

func (l *load) dial(port int, host byte) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, host}})
	}
	if err == nil {
		_, err = unix.Write(fd, []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	}
	if err == nil {
		err = unix.EpollCtl(l.set, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: int32(fd)})
	}
	if err != nil {
		l.b.Fatal(err)
	}
	l.fds = append(l.fds, fd)
}

var benchMark = []byte("T:@")

// read counts events as they come and notes how long each was on its way.
func (l *load) read() {
	defer close(l.done)
	buf := make([]byte, 256<<10)
	events := make([]unix.EpollEvent, 512)
	for open := 1; open > 0 || l.delivered.Load() == 0; {
		n, err := unix.EpollWait(l.set, events, 100)
		if err != nil && err != unix.EINTR {
			return
		}
		for _, e := range events[:max(n, 0)] {
			m, err := unix.Read(int(e.Fd), buf)
			if err != nil || m == 0 {
				_ = unix.EpollCtl(l.set, unix.EPOLL_CTL_DEL, int(e.Fd), nil)
				if open++; open > len(l.fds) {
					return
				}
				continue
			}
			l.scan(buf[:m], time.Now())
		}
	}
}

func (l *load) scan(b []byte, now time.Time) {
	for {
		i := bytes.Index(b, benchMark)
		if i < 0 || len(b)-i < 22 { // events are small: none is ever split here
			return
		}
		ns, err := strconv.ParseInt(string(b[i+3:i+22]), 10, 64)
		if err == nil {
			l.mu.Lock()
			l.latencies = append(l.latencies, now.Sub(time.Unix(0, ns)))
			l.mu.Unlock()
			l.delivered.Add(1)
		}
		b = b[i+22:]
	}
}

func (l *load) say(word string) {
	if _, err := io.WriteString(l.in, word+"\n"); err != nil {
		l.b.Fatal(err)
	}
}

func (l *load) stat() (readers int, cpu time.Duration, rss int64) {
	l.say("stat")
	if _, err := fmt.Fscanln(l.out, &readers, &cpu, &rss); err != nil {
		l.b.Fatal(err)
	}
	return readers, cpu, rss
}

func (l *load) readers() int {
	n, _, _ := l.stat()
	return n
}

// await waits until so many events were delivered in all.
func (l *load) await(total int64) {
	for began := time.Now(); l.delivered.Load() < total; {
		pause(50 * time.Microsecond)
		if time.Since(began) > 30*time.Second {
			l.b.Fatalf("%d of %d delivered", l.delivered.Load(), total)
		}
	}
}

// inTurn tells events one after another, each when all have the one before, so
// that nothing can be joined. It returns the server's CPU time per delivery.
func (l *load) inTurn(events int) time.Duration {
	base := l.delivered.Load()
	_, before, _ := l.stat()
	for i := range events {
		l.say("tell")
		l.await(base + int64((i+1)*len(l.fds)))
	}
	_, after, _ := l.stat()
	return (after - before) / time.Duration(events*len(l.fds))
}

// paced tells events at a rate of deliveries a second, whatever becomes of
// them, and returns the server's CPU time per delivery and the latencies.
func (l *load) paced(rate int, lasting time.Duration) (cpu, p50, p99 time.Duration) {
	every := time.Duration(len(l.fds)) * time.Second / time.Duration(rate)
	events := int(lasting / every)
	l.mu.Lock()
	l.latencies = l.latencies[:0]
	l.mu.Unlock()
	base := l.delivered.Load()
	_, before, _ := l.stat()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for range events {
		<-tick.C
		l.say("tell")
	}
	l.await(base + int64(events*len(l.fds)))
	_, after, _ := l.stat()
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.latencies)
	n := len(l.latencies)
	return (after - before) / time.Duration(events*len(l.fds)), l.latencies[n/2], l.latencies[n*99/100]
}

// flood tells a great many events at once and returns the server's CPU time per
// delivery, with all that can be joined and conflated.
func (l *load) flood(events, window int) time.Duration {
	base := l.delivered.Load()
	_, before, _ := l.stat()
	for i := range events {
		l.await(base + int64((i-window)*len(l.fds)))
		l.say("tell")
	}
	l.await(base + int64(events*len(l.fds)))
	_, after, _ := l.stat()
	return (after - before) / time.Duration(events*len(l.fds))
}
