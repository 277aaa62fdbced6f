//go:build linux && (amd64 || arm64)

package feed

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"telltale/backend/job"
)

// benchRole names the environment variable that makes this binary a server.
const benchRole = "TELLTALE_FEED_BENCH"

// fanner is what the benchmarks compare: something that hands an event to all
// its readers. The floor does it with the bare system call.
type fanner interface {
	join(c net.Conn)
	readers() int
	tell(e job.Event)
}

// serveBench serves what role names on loopback and does what standard input
// says, a line each: "tell" publishes an event, "stat" prints how many readers
// there are, the CPU time used in ns and the resident bytes.
func serveBench(role string) int {
	var f fanner = &bareWrites{}
	if role == "feed" {
		f = &hubWrites{New(Options{Feed: "bench", MaxStreams: math.MaxInt, MaxPerRemote: math.MaxInt})}
	}
	l, err := net.Listen("tcp4", "0.0.0.0:0") //nolint:noctx // loopback addresses, all of them
	if err != nil {
		return 1
	}
	go func() {
		request := make([]byte, 4<<10)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			skipRequest(c, request)
			f.join(c)
		}
	}()
	fmt.Println(l.Addr().(*net.TCPAddr).Port) //nolint:forbidigo // a server of its own
	seq := uint64(0)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		switch in.Text() {
		case "tell":
			seq++
			f.tell(benchEvent(seq))
		case "stat":
			fmt.Println(f.readers(), cpuTime(), resident()) //nolint:forbidigo // a server of its own
		}
	}
	return 0
}

const benchHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

// benchEvent is a running job as the page sees most: about 450 bytes. The phase
// carries the time it was told.
func benchEvent(seq uint64) job.Event {
	percent := 62.5
	j := job.Job{
		ID: "01939f6e-7c1e-7a5e-8000-000000000001", Rev: job.Rev(seq), Action: "push", Title: "Push", Target: "berlin",
		State: job.Running, Progress: &job.Progress{Percent: &percent, Done: 250, Total: 400, Unit: "objects"},
		Trigger: job.Trigger{Via: job.ViaButton, By: "ada"}, Attempt: 1, Attempts: 1, Host: "host", Boot: "boot",
		Phase: fmt.Sprintf("T:@%019d", time.Now().UnixNano()),
	}
	data, err := j.Encode()
	if err != nil {
		panic(err)
	}
	return job.Event{Seq: seq, Job: j, Data: data}
}

type hubWrites struct{ *Hub }

func (h *hubWrites) join(c net.Conn) {
	s, err := h.Attach(c, StreamOptions{Interest: Interest{Jobs: true}})
	if err != nil {
		panic(err)
	}
	s.Go([]byte(benchHead), 0)
}

func (h *hubWrites) readers() int     { return h.Stats().Streams }
func (h *hubWrites) tell(e job.Event) { h.Publish(e) }

// bareWrites is the floor: a frame made once, and write(2) for each socket.
type bareWrites struct {
	mu    sync.Mutex
	fds   []int
	conns []net.Conn
}

func (w *bareWrites) join(c net.Conn) {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		panic(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := raw.Control(func(fd uintptr) { w.fds = append(w.fds, int(fd)) }); err != nil {
		panic(err)
	}
	w.conns = append(w.conns, c)
	_, _ = unix.Write(w.fds[len(w.fds)-1], []byte(benchHead))
}

func (w *bareWrites) readers() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.fds)
}

func (w *bareWrites) tell(e job.Event) {
	frame := AppendJobEvent(nil, "bench", e)
	for _, fd := range w.fds {
		if n, err := unix.Write(fd, frame); n < len(frame) {
			panic(fmt.Sprint("the floor's socket is full: ", err))
		}
	}
}

// skipRequest reads a request into a buffer all of them share, one at a time.
func skipRequest(c net.Conn, b []byte) {
	for n := 0; !bytes.HasSuffix(b[:n], []byte("\r\n\r\n")); {
		m, err := c.Read(b[n:])
		if err != nil {
			panic(err)
		}
		n += m
	}
}

// cpuTime is what this process has used, in ns.
func cpuTime() int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// resident is the resident set of this process, in bytes.
func resident() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	if err != nil {
		panic(err)
	}
	return pages * int64(os.Getpagesize())
}
