package runner

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"telltale/backend/job"
	"telltale/backend/runner/output"
)

const (
	pace       = 50 * time.Millisecond // between two batches of lines, unless one is full
	batchLimit = 64 << 10              // bytes of a batch
	maxPhase   = 200                   // bytes
	maxSaid    = 1000                  // bytes of a summary, message or hint
)

// voice is what a task says while it runs: it takes the bytes of a program,
// makes lines of them, hands those to the watcher in batches, and takes secrets
// out of everything that leaves. Its methods may be called at once.
type voice struct {
	watcher Watcher
	clock   func() time.Time
	buffers *buffers

	mu      sync.Mutex // guards everything below
	mask    *output.Masker
	hear    hearing
	streams map[job.Stream]*stream
	rope    rope       // what may still be handed over
	batch   []job.Line // to be handed over next
	size    int        // bytes of batch
	handed  time.Time  // when a batch was handed over last
	timer   *time.Timer
	at      time.Time // the time of what is being said
	closed  bool
	broken  any // a panic while output was read: a fault of ours

	phase    string
	warnings int
}

// hearing says what a line means. It returns the lines the log shall have for
// it, usually the line itself. It is called with the voice locked and may call
// the voice's methods that say so.
type hearing interface {
	line(v *voice, s job.Stream, l output.Line) []string
	// each reports whether every line counts; else lines that the log has no
	// room for are looked at only when they begin with "::".
	each() bool
}

// stream is one of the program's outputs.
type stream struct {
	name     job.Stream
	splitter output.Splitter
	held     string // a line that was written over, unless something is
	skim     skim
}

func (b *base) voice(w Watcher, secrets []string, h hearing) *voice {
	v := &voice{watcher: w, clock: b.clock, buffers: &b.host.buffers, mask: output.NewMasker(secrets), hear: h, streams: map[job.Stream]*stream{}}
	for _, name := range []job.Stream{job.Stdout, job.Stderr} {
		v.streams[name] = &stream{name: name, splitter: output.Splitter{Mask: v.mask}}
	}
	v.at = v.clock().UTC().Truncate(time.Millisecond)
	v.rope = newRope(v.at)
	return v
}

// writer is where a stream of the program goes. It never fails: a program whose
// output nobody takes would be killed by a signal or wait for ever.
func (v *voice) writer(s job.Stream) *mouth { return &mouth{v, v.streams[s]} }

type mouth struct {
	voice  *voice
	stream *stream
}

func (m *mouth) Write(p []byte) (n int, err error) {
	m.voice.mu.Lock()
	defer m.voice.mu.Unlock()
	// A fault in a reader of output must not end Telltale, nor the task.
	defer func() {
		if fault := recover(); fault != nil {
			m.voice.broken, n = fault, len(p)
		}
	}()
	if !m.voice.closed && m.voice.broken == nil {
		m.voice.take(m.stream, p)
	}
	return len(p), nil
}

// ReadFrom spares every task two buffers.
func (m *mouth) ReadFrom(r io.Reader) (n int64, err error) {
	buf := m.voice.buffers.take()
	defer m.voice.buffers.give(buf)
	for {
		size, err := r.Read(buf)
		_, _ = m.Write(buf[:size])
		n += int64(size)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// buffers are what output is read into, kept for the next task.
type buffers struct{ pool sync.Pool }

const bufferSize = 64 << 10

func (b *buffers) take() []byte {
	if p, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return p[:]
	}
	return make([]byte, bufferSize)
}

func (b *buffers) give(buf []byte) { b.pool.Put((*[bufferSize]byte)(buf)) }

func (v *voice) take(s *stream, p []byte) {
	v.refill()
	if !v.rope.short() {
		v.catchUp()
	}
	if v.rope.short() && !v.hear.each() {
		if !s.skim.on {
			p = v.beginSkim(s, p)
		}
		v.rope.leave(s.skim.read(p, func(line string) { v.hear.line(v, s.name, output.Line{Text: line}) }))
	} else {
		s.splitter.Write(p, func(l output.Line) { v.heard(s, l) })
	}
	v.pass()
}

// heard takes a complete line.
func (v *voice) heard(s *stream, l output.Line) {
	texts := v.hear.line(v, s.name, l)
	if l.Replaced {
		if l.Text != "" && len(texts) > 0 {
			s.held = texts[0]
		}
		return
	}
	if s.held != "" && l.Text == "" {
		texts = []string{s.held} // nothing was written over it
	}
	s.held = ""
	for _, text := range texts {
		v.put(s.name, text)
	}
}

// put adds a line to what is handed over.
func (v *voice) put(s job.Stream, text string) {
	line := job.Line{At: v.at, Stream: s, Text: v.mask.Mask(text)}
	if v.rope.take(line) {
		v.add(line)
	}
}

func (v *voice) add(line job.Line) {
	v.batch = append(v.batch, line)
	if v.size += lineCost(line); v.size >= batchLimit {
		v.hand()
	}
}

// pass hands over what is due at the end of a write: at once after a pause, so
// that the first line is seen without delay, else when the pace allows.
func (v *voice) pass() {
	switch wait := pace - v.at.Sub(v.handed); {
	case len(v.batch) == 0 && !v.rope.short():
	case len(v.batch) > 0 && wait <= 0:
		v.hand()
	case v.timer == nil:
		v.timer = time.AfterFunc(min(max(wait, time.Millisecond), pace), v.tick)
	}
}

func (v *voice) tick() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.timer = nil
	if v.closed {
		return
	}
	v.refill()
	if !v.rope.short() {
		v.catchUp()
	}
	v.hand()
	v.pass()
}

func (v *voice) refill() {
	v.at = v.clock().UTC().Truncate(time.Millisecond)
	v.rope.refill(v.at)
}

func (v *voice) hand() {
	if len(v.batch) > 0 {
		v.watcher.Lines(v.batch...)
		v.batch, v.size, v.handed = nil, 0, v.at
	}
}

// tell adds a line of Telltale's own.
func (v *voice) tell(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.refill()
	v.system(fmt.Sprintf(format, args...))
	v.pass()
}

// system adds a line of Telltale's own. The voice is locked.
func (v *voice) system(text string) {
	v.add(job.Line{At: v.at, Stream: job.System, Text: output.Clean(v.mask.Mask(text))})
}

// close hands over everything that is left. What comes later is dropped.
func (v *voice) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return
	}
	v.refill()
	if v.broken == nil {
		v.finish()
	}
	v.reel()
	v.hand()
	v.closed = true
	if v.timer != nil {
		v.timer.Stop()
	}
}

// late adds a line of Telltale's own after the voice was closed, before Run
// returns. The voice is locked.
func (v *voice) late(text string) {
	v.system(text)
	v.hand()
}

// plain is a text of a program as a sentence for people, secrets out.
func (v *voice) plain(s string, limit int) string { return output.Plain(v.mask.Mask(s), limit) }

// finish reads what is left of both streams. The voice is locked.
func (v *voice) finish() {
	defer func() {
		if fault := recover(); fault != nil {
			v.broken = fault
		}
	}()
	v.endSkims()
	for _, name := range []job.Stream{job.Stdout, job.Stderr} {
		s := v.streams[name]
		s.splitter.Flush(func(l output.Line) { v.heard(s, l) })
		if s.held != "" {
			v.put(name, s.held)
		}
	}
}

// enter names the phase. The voice is locked.
func (v *voice) enter(phase string) {
	if phase = v.plain(phase, maxPhase); phase != "" && phase != v.phase {
		v.phase = phase
		v.watcher.Phase(phase)
	}
}

// warn adds a thing to read. The voice is locked.
func (v *voice) warn(n job.Notice) {
	n.Message, n.File = v.plain(n.Message, maxSaid), v.plain(n.File, maxPhase)
	if n.Message == "" {
		n.Message = "A warning without words."
	}
	v.warnings++
	v.watcher.Warn(n)
}
