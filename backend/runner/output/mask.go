package output

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// MinSecret is the fewest bytes a text must have to be masked: shorter ones
// turn up by chance, and masking them would make a log unreadable without
// hiding anything.
const MinSecret = 6

const (
	stars      = "***"
	maxNeedles = 4096     // over all secrets of a run; output may add to them
	maxNeedle  = 64 << 10 // bytes of one
)

// Masker replaces secrets by "***": as they are, in base64 (both alphabets,
// wherever they stand in what was encoded), URL-encoded and escaped as in JSON.
// The lines of a secret of several lines are masked one by one. Colours inside
// a secret do not hide it. What a line break tears apart is not recognised.
type Masker struct {
	known   map[string]bool
	byPair  map[uint16][]string // by their first two bytes
	pairs   []uint64            // a bit for each first two bytes there are
	longest int
}

// NewMasker makes a masker of the secrets; those under MinSecret are ignored.
func NewMasker(secrets []string) *Masker {
	m := &Masker{known: map[string]bool{}, byPair: map[uint16][]string{}}
	for _, s := range secrets {
		m.Add(s)
	}
	return m
}

// Add masks another secret from now on. It reports false for one that is too
// short to be masked, or when there are too many already.
func (m *Masker) Add(secret string) bool {
	added := false
	if m.pairs == nil {
		m.pairs = make([]uint64, 1<<10)
	}
	for _, form := range forms(secret) {
		if len(form) < MinSecret || len(form) > maxNeedle || len(m.known) >= maxNeedles {
			continue
		}
		added = true
		if m.known[form] {
			continue
		}
		m.known[form] = true
		m.longest = max(m.longest, len(form))
		key := uint16(form[0])<<8 | uint16(form[1])
		m.byPair[key] = append(m.byPair[key], form)
		m.pairs[key>>6] |= 1 << (key & 63)
	}
	return added
}

// Longest is the length in bytes of the longest text that is masked.
func (m *Masker) Longest() int { return m.longest }

// Mask returns s with every secret replaced.
func (m *Masker) Mask(s string) string {
	if len(m.known) == 0 || len(s) < MinSecret {
		return s
	}
	if strings.IndexByte(s, esc) >= 0 {
		return m.maskColoured(s)
	}
	found := m.find(s)
	if found == nil {
		return s
	}
	return replace(s, found)
}

type span struct{ from, to int }

// find returns where secrets stand, merged where they touch or overlap.
func (m *Masker) find(s string) []span {
	var found []span
	for i := 0; i+1 < len(s); i++ {
		key := uint16(s[i])<<8 | uint16(s[i+1])
		if m.pairs[key>>6]&(1<<(key&63)) == 0 {
			continue
		}
		to := 0
		for _, form := range m.byPair[key] {
			if strings.HasPrefix(s[i:], form) {
				to = max(to, i+len(form))
			}
		}
		switch last := len(found) - 1; {
		case to == 0:
		case last >= 0 && i <= found[last].to:
			found[last].to = max(found[last].to, to)
		default:
			found = append(found, span{i, to})
		}
	}
	return found
}

func (m *Masker) maskColoured(s string) string {
	bare := make([]byte, 0, len(s))
	place := make([]int, 0, len(s)) // where each byte of bare stands in s
	for i := 0; i < len(s); i++ {
		if s[i] == esc {
			if n := strings.IndexByte(s[i:], 'm'); n > 0 {
				i += n
				continue
			}
		}
		bare = append(bare, s[i])
		place = append(place, i)
	}
	found := m.find(string(bare))
	for i, f := range found {
		found[i] = span{place[f.from], place[f.to-1] + 1}
	}
	if found == nil {
		return s
	}
	return replace(s, found)
}

func replace(s string, found []span) string {
	var b strings.Builder
	from := 0
	for _, f := range found {
		b.WriteString(s[from:f.from])
		b.WriteString(stars)
		from = f.to
	}
	b.WriteString(s[from:])
	return b.String()
}

// forms lists every way in which the secret may turn up.
func forms(secret string) []string {
	if len(secret) < MinSecret {
		return nil
	}
	out := strings.FieldsFunc(secret, func(r rune) bool { return r == '\n' || r == '\r' })
	out = append(out, strings.TrimSpace(secret), unquote(strconv.QuoteToASCII(secret)))
	for _, e := range []string{url.QueryEscape(secret), url.PathEscape(secret)} {
		out = append(out, e, lowerHex(e))
	}
	for _, html := range []bool{true, false} {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(html)
		if enc.Encode(secret) == nil {
			out = append(out, unquote(strings.TrimSpace(b.String())))
		}
	}
	out = append(out, base64Forms(secret)...)
	slices.Sort(out)
	return slices.Compact(out)
}

// unquote takes off the quotation marks around s, not those within.
func unquote(s string) string { return s[1 : len(s)-1] }

// base64Forms encodes the secret as it stands at each of the three places of a
// group of three bytes, and keeps the characters its neighbours cannot change.
func base64Forms(secret string) []string {
	var out []string
	for _, alphabet := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		whole := alphabet.EncodeToString([]byte(secret))
		out = append(out, whole, strings.TrimRight(whole, "="))
		for before := range 3 {
			all := alphabet.WithPadding(base64.NoPadding).EncodeToString(append(make([]byte, before), secret...))
			first := (before*8 + 5) / 6
			last := (before + len(secret)) * 8 / 6
			out = append(out, all[first:last])
		}
	}
	return out
}

// lowerHex writes the escapes of a URL with lower-case digits.
func lowerHex(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}
