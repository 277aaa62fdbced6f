package api

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// maxBlock is the most bytes of one stream event the client accepts.
const maxBlock = 4 << 20

var errBlockTooLarge = errors.New("stream event too large")

// block is one event of a text/event-stream.
type block struct {
	event string // "message" when unnamed
	id    string
	hasID bool
	data  []byte
}

// blockReader reads a text/event-stream (WHATWG HTML, section 9.2.6). A block
// that the end of the stream cuts off is dropped.
type blockReader struct {
	in    *bufio.Reader
	begun bool
}

func newBlockReader(r io.Reader) *blockReader { return &blockReader{in: bufio.NewReader(r)} }

// next is the next block that has data.
func (r *blockReader) next() (block, error) {
	b, size, hasData := block{event: "message"}, 0, false
	for {
		line, err := r.line()
		if err != nil {
			return block{}, err
		}
		if size += len(line); size > maxBlock {
			return block{}, errBlockTooLarge
		}
		if len(line) == 0 {
			if hasData {
				b.data = bytes.TrimSuffix(b.data, []byte("\n"))
				return b, nil
			}
			b, size = block{event: "message"}, 0
			continue
		}
		name, value, _ := strings.Cut(string(line), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			if b.event = value; value == "" {
				b.event = "message"
			}
		case "data":
			b.data = append(append(b.data, value...), '\n')
			hasData = true
		case "id":
			if !strings.ContainsRune(value, 0) {
				b.id, b.hasID = value, true
			}
		}
	}
}

// line is the next line without its end: a line feed, a carriage return, or
// both.
func (r *blockReader) line() ([]byte, error) {
	var line []byte
	for {
		c, err := r.in.ReadByte()
		if err != nil {
			return nil, err
		}
		switch c {
		case '\r':
			r.skipLineFeed()
			return r.withoutMark(line), nil
		case '\n':
			return r.withoutMark(line), nil
		}
		if line = append(line, c); len(line) > maxBlock {
			return nil, errBlockTooLarge
		}
	}
}

// skipLineFeed takes the second half of a CR LF. Looking for it may wait for
// the next byte of the stream; our server never sends a carriage return.
func (r *blockReader) skipLineFeed() {
	if b, err := r.in.Peek(1); err == nil && b[0] == '\n' {
		_, _ = r.in.Discard(1)
	}
}

func (r *blockReader) withoutMark(line []byte) []byte {
	if !r.begun {
		r.begun = true
		return bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	return line
}
