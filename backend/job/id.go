package job

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// ID names a job for ever: a UUIDv7 (RFC 9562, section 5.7) in its canonical
// lower-case form of 36 characters. IDs sort by the time they were made.
type ID string

// NewID makes an ID for the instant now with the randomness of random. The 12
// bits after the milliseconds hold the fraction of the millisecond (RFC 9562,
// section 6.2, method 3), so that ids made one after the other sort that way.
// The error is that of random.
func NewID(now time.Time, random io.Reader) (ID, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[8:]); err != nil {
		return "", fmt.Errorf("random bits for a job id: %w", err)
	}
	ms := now.UnixMilli()
	fraction := now.Sub(time.UnixMilli(ms)) * 4096 / time.Millisecond
	binary.BigEndian.PutUint64(b[:8], uint64(ms)<<16|0x7000|uint64(fraction))
	b[8] = b[8]&0x3f | 0x80
	return format(b), nil
}

// ParseID reads the canonical form of a UUIDv7. Anything else, also another
// spelling of the same UUID, is an error: an id is used as a key and as a file
// name, so there is exactly one way to write it.
func ParseID(s string) (ID, error) {
	var b [16]byte
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return "", &InvalidIDError{Text: s}
	}
	if _, err := hex.Decode(b[:], []byte(s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:])); err != nil {
		return "", &InvalidIDError{Text: s}
	}
	if id := format(b); string(id) == s && b[6]>>4 == 7 && b[8]>>6 == 2 {
		return id, nil
	}
	return "", &InvalidIDError{Text: s}
}

// Time is the instant the id was made, to the millisecond. It is zero for an
// ID that was not made by NewID or ParseID.
func (id ID) Time() time.Time {
	var b [8]byte
	if len(id) != 36 {
		return time.Time{}
	}
	if _, err := hex.Decode(b[2:], []byte(id[:8]+id[9:13])); err != nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b[:]))).UTC()
}

func format(b [16]byte) ID {
	h := hex.EncodeToString(b[:])
	return ID(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])
}
