package action

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// decimal is a number as people and JSON write it: no "0x", "_", "Inf" or "NaN".
var decimal = regexp.MustCompile(`\A-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\z`)

// bind checks one value; nil is "not given". It returns the value as recorded,
// or nil when there is none. A fault is a sentence for the
// person who typed the value.
func (p *Param) bind(value any) (bound any, fault string) {
	if value == "" && (p.Required || p.Default == nil || p.Type == NumberParam || p.Type == BooleanParam) {
		value = nil
	}
	if value == nil {
		value = p.Default
	}
	if value == nil {
		switch {
		case p.Required:
			return nil, "A value is required."
		case p.Type == BooleanParam:
			return false, ""
		}
		return nil, ""
	}
	switch p.Type {
	case NumberParam:
		return p.bindNumber(value)
	case BooleanParam:
		return p.bindBoolean(value)
	case SelectParam:
		return p.bindSelect(value)
	case SecretParam, TextParam:
		return p.bindText(value)
	}
	return nil, fmt.Sprintf("The catalog gives this parameter the unknown type %q.", p.Type)
}

// bindNumber takes a JSON number or its text.
func (p *Param) bindNumber(value any) (bound any, fault string) {
	n, ok := value.(float64)
	if text, isText := value.(string); isText && len(text) <= 64 && decimal.MatchString(text) {
		parsed, err := strconv.ParseFloat(text, 64)
		n, ok = parsed, err == nil
	}
	switch {
	case !ok, math.IsNaN(n), math.IsInf(n, 0):
		return nil, "This must be a number."
	case p.Integer && (n != math.Trunc(n) || math.Abs(n) > 1<<53):
		return nil, "This must be a whole number."
	case p.Min != nil && n < *p.Min:
		return nil, fmt.Sprintf("This must be at least %s.", number(*p.Min))
	case p.Max != nil && n > *p.Max:
		return nil, fmt.Sprintf("This must be at most %s.", number(*p.Max))
	}
	return n + 0, "" // -0 becomes 0
}

// bindBoolean takes a JSON boolean or its text.
func (p *Param) bindBoolean(value any) (bound any, fault string) {
	switch value {
	case true, "true":
		return true, ""
	case false, "false":
		return false, ""
	}
	return nil, "This must be true or false."
}

// bindSelect takes one of the options, to the letter.
func (p *Param) bindSelect(value any) (bound any, fault string) {
	if text, ok := value.(string); ok && slices.Contains(p.Options, text) {
		return text, ""
	}
	return nil, fmt.Sprintf("Choose %s.", inWords(p.Options))
}

// bindText takes text and secrets.
func (p *Param) bindText(value any) (bound any, fault string) {
	text, ok := value.(string)
	switch {
	case !ok:
		return nil, "This must be text."
	case len(text) > maxValue:
		return nil, fmt.Sprintf("This is %d bytes long; at most %d are allowed.", len(text), maxValue)
	case !utf8.ValidString(text):
		return nil, "This is not valid UTF-8 text."
	}
	if p.Type == TextParam {
		text = norm.NFC.String(text) // a secret is taken to the byte
	}
	length := float64(utf8.RuneCountInString(text))
	switch {
	case len(text) > maxValue:
		return nil, fmt.Sprintf("This is longer than %d bytes in Unicode normal form C.", maxValue)
	case strings.ContainsFunc(text, isInvisible):
		return nil, "This has control characters or line breaks; only one line of visible text is allowed."
	case p.Type == TextParam && !p.AllowDash && strings.HasPrefix(text, "-"):
		return nil, `This begins with "-", which a program could take for an option.`
	case p.Min != nil && length < *p.Min:
		return nil, fmt.Sprintf("This must have at least %s characters.", number(*p.Min))
	case p.Max != nil && length > *p.Max:
		return nil, fmt.Sprintf("This must have at most %s characters.", number(*p.Max))
	}
	if fault := p.match(text); fault != "" {
		return nil, fault
	}
	if fault := p.below(text); fault != "" {
		return nil, fault
	}
	return text, ""
}

// match holds the whole value against the pattern: \A and \z are ours, since ^
// and $ can be made to match at a line break.
func (p *Param) match(text string) (fault string) {
	if p.Pattern == "" {
		return ""
	}
	whole, err := wholePattern(p.Pattern)
	if err != nil {
		return "The pattern in the catalog cannot be read."
	}
	if !whole.MatchString(text) {
		return fmt.Sprintf("This does not match the pattern %s.", p.Pattern)
	}
	return ""
}

// below checks that a value is a path inside the parameter's folder, also when
// symbolic links are followed. What is checked can be swapped before it is
// used; whoever can do that can write in the folder already.
func (p *Param) below(text string) (fault string) {
	if p.Under == "" {
		return ""
	}
	const outside = "This must be a path inside the folder the catalog names."
	if strings.ContainsAny(text, `\:`) || !filepath.IsLocal(text) || !fs.ValidPath(text) {
		return outside
	}
	root, err := os.OpenRoot(p.Under)
	if err != nil {
		return "The folder the catalog names cannot be opened."
	}
	_, err = root.Stat(text)
	if cerr := root.Close(); cerr != nil {
		return "The folder the catalog names cannot be read."
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return outside
	}
	return ""
}

// wholePattern compiles a pattern that must match from the first character to
// the last. The pattern is compiled by itself first, so that it cannot close
// the group that is put around it.
func wholePattern(pattern string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, fmt.Errorf("pattern: %w", err)
	}
	whole, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("pattern: %w", err)
	}
	return whole, nil
}

// isInvisible reports characters that can hide or reorder what a record shows:
// controls, line and paragraph separators, the byte order mark, and the
// controls of writing direction.
func isInvisible(r rune) bool {
	switch {
	case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == '\ufeff':
		return true
	case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
		return true
	}
	return false
}

// number writes a number for people.
func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
