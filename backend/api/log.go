package api

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/backend/job"
)

// getLog answers a job's log as JSON, as text, or as a stream.
func (s *Server) getLog(c *fiber.Ctx) error {
	c.Vary(fiber.HeaderAccept)
	media := accepts(c.Get(fiber.HeaderAccept), jsonType, textType, streamType)
	if media == "" {
		return refuse("not_acceptable", "A log is given as %s, %s or %s.", jsonType, textType, streamType)
	}
	id, err := pathJob(c)
	if err != nil {
		return err
	}
	q := queryOf(c, "from", "limit")
	from := q.number("from", 1, 1, 1<<53)
	limit := int(q.number("limit", maxLines, 1, maxLines))
	if q.err != nil {
		return q.err
	}
	switch media {
	case textType:
		return s.sendLogText(c, id)
	case streamType:
		if seen := c.Get("Last-Event-ID"); seen != "" {
			n, err := strconv.ParseInt(seen, 10, 53)
			if err == nil && n >= 0 {
				from = n + 1 // anything else is none of ours: from the beginning
			}
		}
		return s.streamLog(c, id, from)
	}
	ctx, cancel := s.work()
	defer cancel()
	part, err := s.Records.ReadLog(ctx, id, from, limit)
	if err != nil {
		return err
	}
	if part.Lines == nil {
		part.Lines = []job.Line{}
	}
	return encodeJSON(c, part)
}

// sendLogText answers the log as plain text, or one range of its bytes.
func (s *Server) sendLogText(c *fiber.Ctx, id job.ID) error {
	ctx, cancel := s.work()
	defer cancel()
	text, size, err := s.Records.OpenLog(ctx, id)
	if err != nil {
		return err
	}
	first, length, asked, fits := byteRange(c.Get(fiber.HeaderRange), size)
	if !fits {
		_ = text.Close()
		r := refuse("bad_range", "The log has %d bytes.", size)
		r.header = map[string]string{"Content-Range": "bytes */" + strconv.FormatInt(size, 10)}
		return r
	}
	if _, err := text.Seek(first, io.SeekStart); err != nil {
		_ = text.Close()
		return fmt.Errorf("log of %s: %w", id, err)
	}
	c.Set(fiber.HeaderAcceptRanges, "bytes")
	c.Set(fiber.HeaderContentType, textType+"; charset=utf-8")
	if asked {
		c.Status(http.StatusPartialContent)
		c.Set(fiber.HeaderContentRange, fmt.Sprintf("bytes %d-%d/%d", first, first+length-1, size))
	}
	c.Context().SetBodyStream(&patientReader{in: io.LimitReader(text, length), closer: text, conn: c.Context().Conn()}, int(length))
	return nil
}

// patientReader gives a slow client new time with every piece it has taken, and
// turns a panic of the store into an error: here nobody else would catch it.
type patientReader struct {
	in     io.Reader
	closer io.Closer
	conn   net.Conn
}

func (r *patientReader) Read(p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, &panicError{value: v}
		}
	}()
	_ = r.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	return r.in.Read(p)
}

func (r *patientReader) Close() error { return r.closer.Close() }

// byteRange reads a Range header for a text of size bytes (RFC 9110, section
// 14.2). A header that is not one range of bytes is as good as none; one that
// lies outside does not fit.
func byteRange(header string, size int64) (first, length int64, asked, fits bool) {
	spec, bytes := strings.CutPrefix(header, "bytes=")
	from, to, pair := strings.Cut(strings.TrimSpace(spec), "-")
	if !bytes || !pair || strings.Contains(spec, ",") {
		return 0, size, false, true
	}
	if from == "" { // the last so many
		n, err := parseOffset(to)
		if err != nil {
			return 0, size, false, true
		}
		n = min(n, size)
		return size - n, n, true, n > 0
	}
	first, err := parseOffset(from)
	if err != nil {
		return 0, size, false, true
	}
	last := size - 1
	if to != "" {
		if last, err = parseOffset(to); err != nil || last < first {
			return 0, size, false, true
		}
	}
	if first >= size {
		return 0, 0, true, false
	}
	return first, min(last, size-1) - first + 1, true, true
}

// parseOffset reads digits; more than fit are as good as the greatest number.
func parseOffset(s string) (int64, error) {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		return 0, strconv.ErrSyntax
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return 1<<63 - 1, nil
	}
	return n, err
}
