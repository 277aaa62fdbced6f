package action

import (
	"fmt"
	"strings"
)

// Templates are the one thing the catalog fills in: {{params.x}} and
// {{target.x}} inside an argv element, a variable's value, a remote, a URL.
// There are no functions, no conditions and no second pass: what is filled in
// is never looked at again, so a value that looks like a template stays text.
// Two opening braces are written {{{{.

// place is one {{root.name}} of a template.
type place struct {
	Root string // "params" or "target"
	Name string
}

// String is the placeholder as it stands in the catalog.
func (p place) String() string { return "{{" + p.Root + "." + p.Name + "}}" }

// part is a stretch of literal text, then a placeholder; the last part of a
// template has no placeholder.
type part struct {
	Text  string
	Place *place
}

// template is a parsed template.
type template []part

// parseTemplate reads a template. Blanks inside the braces do not count.
func parseTemplate(s string) (template, error) {
	var (
		parsed template
		text   strings.Builder
	)
	for {
		before, after, found := strings.Cut(s, "{{")
		text.WriteString(before)
		if !found {
			return append(parsed, part{Text: text.String()}), nil
		}
		if rest, literal := strings.CutPrefix(after, "{{"); literal {
			text.WriteString("{{")
			s = rest
			continue
		}
		inside, rest, closed := strings.Cut(after, "}}")
		if !closed {
			return nil, fmt.Errorf("%q is not closed with }}; two opening braces as text are written {{{{", "{{"+clip(after, 40))
		}
		root, name, dotted := strings.Cut(strings.TrimSpace(inside), ".")
		if !dotted || root != "params" && root != "target" || !isName(name) {
			return nil, fmt.Errorf("%q is neither {{params.name}} nor {{target.name}}; two opening braces as text are written {{{{", "{{"+clip(inside, 40)+"}}")
		}
		parsed = append(parsed, part{Text: text.String(), Place: &place{Root: root, Name: name}})
		text.Reset()
		s = rest
	}
}

// places lists the placeholders in order, also those that come twice.
func (t template) places() []place {
	var all []place
	for _, p := range t {
		if p.Place != nil {
			all = append(all, *p.Place)
		}
	}
	return all
}

// fill puts the template together; value gives the text of a placeholder.
func (t template) fill(value func(place) string) string {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.Text)
		if p.Place != nil {
			b.WriteString(value(*p.Place))
		}
	}
	return b.String()
}

// literal writes text so that a template holds it unchanged.
func literal(text string) string { return strings.ReplaceAll(text, "{{", "{{{{") }

// isName reports whether s can name a parameter or a target's value: a letter,
// then letters, digits and underscores, all lower case, at most 63. Dots and
// dashes are left out so that a name has one spelling as an environment
// variable.
func isName(s string) bool {
	if s == "" || len(s) > 63 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// clip shortens text for a message to at most n characters.
func clip(s string, n int) string {
	runes := 0
	for i := range s {
		if runes == n {
			return s[:i] + "…"
		}
		runes++
	}
	return s
}
