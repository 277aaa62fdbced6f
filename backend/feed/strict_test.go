package feed

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// block is one event of a stream as the strict reader saw it.
type block struct {
	Event string
	ID    string
	Data  string
	Retry int // ms; 0 when the block had none
}

// strictReader reads a text/event-stream and refuses whatever a parser in the
// wild might read in another way: it is a checker first and a reader second.
type strictReader struct{ r *bufio.Reader }

func newStrictReader(r io.Reader) *strictReader {
	return &strictReader{bufio.NewReaderSize(r, 64<<10)}
}

// errCut is a stream that ended inside a block, which a reader must drop.
var errCut = errors.New("the stream was cut inside a block")

var idForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// next is the next event; comments are skipped.
func (s *strictReader) next() (block, error) {
	for {
		b, lines, err := s.read()
		if err != nil {
			return block{}, err
		}
		if lines > 0 {
			return b, b.check()
		}
	}
}

func (s *strictReader) read() (b block, fields int, err error) {
	for begun := false; ; begun = true {
		line, err := s.r.ReadString('\n')
		if err != nil {
			if begun || line != "" {
				return b, 0, errCut
			}
			return b, 0, err
		}
		line = line[:len(line)-1]
		switch {
		case strings.ContainsAny(line, "\r\x00"):
			return b, 0, fmt.Errorf("line %q has a carriage return or NUL", line)
		case line == "" && !begun:
			return b, 0, errors.New("an empty line that ends nothing")
		case line == "":
			return b, fields, nil
		case line[0] == ':':
			continue
		}
		fields++
		if err := b.field(line); err != nil {
			return b, 0, err
		}
	}
}

func (b *block) field(line string) error {
	name, value, found := strings.Cut(line, ": ")
	if !found || value == "" {
		return fmt.Errorf("line %.80q is not a field with a value", line)
	}
	var into *string
	switch name {
	case "event":
		into = &b.Event
	case "id":
		into = &b.ID
	case "data":
		into = &b.Data
	case "retry":
		ms, err := strconv.Atoi(value)
		if err != nil || ms < 1000 || value[0] == '+' {
			return fmt.Errorf("retry %q", value)
		}
		b.Retry = ms
		return nil
	default:
		return fmt.Errorf("unknown field %q", name)
	}
	if *into != "" {
		return fmt.Errorf("field %q twice in a block", name)
	}
	*into = value
	return nil
}

func (b *block) check() error {
	known := []string{"hello", "reset", "job", "log", "heartbeat", "bye"}
	switch {
	case !slices.Contains(known, b.Event):
		return fmt.Errorf("unknown event %q", b.Event)
	case b.Data == "" || !json.Valid([]byte(b.Data)):
		return fmt.Errorf("event %s has data %.80q, which is not JSON", b.Event, b.Data)
	case b.ID != "" && b.Event != "job":
		return fmt.Errorf("event %s has id %q", b.Event, b.ID)
	case b.ID != "" && !idForm.MatchString(b.ID):
		return fmt.Errorf("id %q", b.ID)
	}
	return nil
}
