package action

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// shape says what may stand in one place of a catalog file. The tree of shapes
// in language.go is the one description of the file: the strict check, the JSON
// Schema and the reference page all come from it.
type shape struct {
	kind     kind
	keys     []key      // object: the keys it knows, in the order people read them
	rest     *shape     // object: what other keys hold, nil when there may be none
	oneOf    [][]string // object: groups of keys of which exactly one must be there
	item     *shape     // list, mapping: what it holds
	names    nameRule   // mapping, rest: what names look like
	enum     []string   // line: the words it may be
	pattern  string     // line: RE2, matched as a whole; what it means is said by the key
	min, max float64    // numbers: the value; durations: seconds; texts: characters; lists: items; no limit when both are 0
}

// key is one key of an object.
type key struct {
	name     string
	doc      string // one or two sentences for the reference and the editor
	required bool
	standard string // what an absent key means, as written in the file; "" for nothing
	shape    *shape
}

// kind is the family of a shape.
type kind string

const (
	objectKind   kind = "object"   // known keys
	mappingKind  kind = "mapping"  // names the author chooses
	listKind     kind = "list"     //
	lineKind     kind = "line"     // one line of visible text
	textKind     kind = "text"     // text of any number of lines
	scalarKind   kind = "scalar"   // text, a number or a boolean, taken as the text that stands there
	numberKind   kind = "number"   //
	integerKind  kind = "integer"  //
	booleanKind  kind = "boolean"  //
	durationKind kind = "duration" // 90s, 2m, 1h30m, 7d
	switchKind   kind = "switch"   // true, false or a template that gives one
)

// nameRule says what names an author may choose.
type nameRule struct {
	pattern string // RE2, matched as a whole
	said    string // the rule in words
	allowed func(string) bool
}

// describe names a shape in a message: "a list".
func (s *shape) describe() string {
	switch s.kind {
	case objectKind, mappingKind:
		return "a mapping"
	case listKind:
		return "a list"
	case numberKind:
		return "a number"
	case integerKind:
		return "a whole number"
	case booleanKind:
		return "true or false"
	case switchKind:
		return "true, false or {{params.name}}"
	case durationKind:
		return `a duration such as "90s", "2m" or "7d"`
	case scalarKind:
		return "text, a number, true or false"
	case lineKind, textKind:
	}
	return "text"
}

// checker holds a file against its shape.
type checker struct{ faults *Faults }

// check notes every fault of a value, which messages call by name ("action
// \"push\""), and returns it without the parts that are
// wrong, nil when nothing is left: what comes back has the right shape.
func (c checker) check(n *node, s *shape, name string) *node {
	if n.form == nullForm {
		c.faults.add(n, "", "%s has no value; it must be %s.", upper(name), s.describe())
		return nil
	}
	var good bool
	switch s.kind {
	case objectKind:
		good = n.form == mapForm
	case mappingKind:
		good = n.form == mapForm
	case listKind:
		good = n.form == listForm
	case numberKind, integerKind:
		good = n.form == numberForm
	case booleanKind:
		good = n.form == booleanForm
	case switchKind:
		good = n.form == booleanForm || n.form == stringForm
	case scalarKind:
		good = n.form != mapForm && n.form != listForm
	case lineKind, textKind, durationKind:
		good = n.form == stringForm
	}
	if !good {
		hint := ""
		if n.form != mapForm && n.form != listForm && (s.kind == lineKind || s.kind == textKind) {
			hint = fmt.Sprintf("Write it in quotes: %q.", n.text)
		}
		c.faults.add(n, hint, "%s must be %s, not %s.", upper(name), s.describe(), n.form)
		return nil
	}
	switch s.kind {
	case objectKind:
		return c.object(n, s, name)
	case mappingKind:
		return c.mapping(n, s, name)
	case listKind:
		return c.items(n, s, name)
	case lineKind, textKind, scalarKind, numberKind, integerKind, booleanKind, switchKind, durationKind:
	}
	if fault, hint := s.scalarFault(n); fault != "" {
		c.faults.add(n, hint, "%s %s", upper(name), fault)
		return nil
	}
	return n
}

// object checks the keys of an object.
func (c checker) object(n *node, s *shape, name string) *node {
	kept := n.emptied()
	there := slices.Clone(n.lost) // keys that are there, or meant to be
	for _, e := range n.keys {
		there = append(there, e.name)
		at := slices.IndexFunc(s.keys, func(k key) bool { return k.name == e.name })
		inner := s.rest
		if at >= 0 {
			inner = s.keys[at].shape
		}
		switch {
		case inner == nil:
			there = append(there, nearest(e.name, s.known()))
			c.faults.add(e.key, s.whereTo(e.name), "There is no key %q in %s.", clip(e.name, 64), name)
			continue
		case at < 0 && !s.names.allowed(e.name):
			c.faults.add(e.key, s.whereTo(e.name), "%q cannot be a name here: %s.", clip(e.name, 64), s.names.said)
			kept.keep(e, nil)
			continue
		}
		kept.keep(e, c.check(e.node, inner, quote(e.name)))
	}
	c.missing(n, s, name, there)
	return kept
}

// missing notes keys that must be there and are not.
func (c checker) missing(n *node, s *shape, name string, there []string) {
	for _, k := range s.keys {
		if k.required && !slices.Contains(there, k.name) {
			c.faults.add(n, k.doc, "%q is missing in %s.", k.name, name)
		}
	}
	for _, group := range s.oneOf {
		var found []string
		for _, key := range there {
			if slices.Contains(group, key) {
				found = append(found, key)
			}
		}
		switch {
		case len(found) == 0:
			c.faults.add(n, "", "%s needs %s.", upper(name), inWords(group))
		case len(found) > 1:
			c.faults.add(n, "", "%s has both %q and %q; it needs exactly one of them.", upper(name), found[0], found[1])
		}
	}
}

// mapping checks names and what they stand for.
func (c checker) mapping(n *node, s *shape, name string) *node {
	kept := n.emptied()
	for _, e := range n.keys {
		if !s.names.allowed(e.name) {
			c.faults.add(e.key, "", "%q cannot be a name in %s: %s.", clip(e.name, 64), name, s.names.said)
			kept.keep(e, nil)
			continue
		}
		called := quote(e.name)
		if s.item.kind == objectKind {
			called = strings.TrimSuffix(strings.Trim(name, `"`), "s") + " " + called
		}
		kept.keep(e, c.check(e.node, s.item, called))
	}
	return kept
}

// items checks a list.
func (c checker) items(n *node, s *shape, name string) *node {
	kept := n.emptied()
	if len(n.items) == 0 && s.min > 0 {
		c.faults.add(n, "", "%s is empty.", upper(name))
		return nil
	}
	for _, item := range n.items {
		value := c.check(item, s.item, "what is in "+name)
		if value == nil {
			kept.lost = append(kept.lost, name)
			continue
		}
		kept.items = append(kept.items, value)
	}
	return kept
}

// emptied is the value without what it holds, to be filled with what is right.
func (n *node) emptied() *node {
	return &node{line: n.line, column: n.column, form: n.form, lost: n.lost}
}

// keep adds what is left of an entry, or notes that nothing is.
func (n *node) keep(e entry, left *node) {
	if left == nil {
		n.lost = append(n.lost, e.name)
		return
	}
	n.keys = append(n.keys, entry{name: e.name, key: e.key, node: left})
}

// scalarFault says what is wrong with a scalar of the right form.
func (s *shape) scalarFault(n *node) (fault, hint string) {
	limited := s.min != 0 || s.max != 0
	switch s.kind {
	case numberKind, integerKind:
		parsed, err := strconv.ParseFloat(n.text, 64)
		if err != nil || !decimal.MatchString(n.text) || s.kind == integerKind && parsed != math.Trunc(parsed) {
			return "must be " + s.describe() + ", in decimal.", ""
		}
		if limited && (parsed < s.min || parsed > s.max) {
			return fmt.Sprintf("must be between %s and %s.", number(s.min), number(s.max)), ""
		}
	case durationKind:
		d, err := parseDuration(n.text)
		if err != nil {
			return "must be " + s.describe() + ".", ""
		}
		if value := d.Seconds(); limited && (value < s.min || value > s.max) {
			return fmt.Sprintf("must be between %s and %s.", seconds(s.min), seconds(s.max)), ""
		}
	case lineKind, textKind, scalarKind:
		return s.textFault(n.text)
	case booleanKind, switchKind, objectKind, mappingKind, listKind:
	}
	return "", ""
}

// textFault says what is wrong with text.
func (s *shape) textFault(text string) (fault, hint string) {
	length := float64(utf8.RuneCountInString(text))
	switch {
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return "is not text: it has bytes that are not UTF-8, or a NUL.", ""
	case s.kind == lineKind && strings.ContainsFunc(text, isInvisible):
		return "must be one line of visible text.", ""
	case s.kind == lineKind && strings.TrimSpace(text) == "":
		return "is empty.", ""
	case s.max > 0 && length > s.max:
		return fmt.Sprintf("has %s characters; at most %s are allowed.", number(length), number(s.max)), ""
	case s.enum != nil && !slices.Contains(s.enum, text):
		if near := nearest(text, s.enum); near != "" {
			hint = fmt.Sprintf("Did you mean %q?", near)
		}
		return fmt.Sprintf("must be %s, not %q.", inWords(s.enum), clip(text, 64)), hint
	case s.pattern != "":
		if whole, err := wholePattern(s.pattern); err != nil || !whole.MatchString(text) {
			return fmt.Sprintf("cannot be %q.", clip(text, 64)), "It must match " + s.pattern + "."
		}
	}
	return "", ""
}

// whereTo is the hint for a key an object does not know: the nearest one it
// does, or where else in it the key belongs.
func (s *shape) whereTo(name string) string {
	for _, k := range s.keys {
		if k.shape.kind == objectKind && slices.ContainsFunc(k.shape.keys, func(inner key) bool { return inner.name == name }) {
			return fmt.Sprintf("It belongs under %q.", k.name)
		}
	}
	known := s.known()
	if near := nearest(name, known); near != "" {
		return fmt.Sprintf("Did you mean %q?", near)
	}
	if s.rest != nil {
		return ""
	}
	return "Known are " + strings.Join(known, ", ") + "."
}

// quote names a key in a message.
func quote(key string) string { return strconv.Quote(clip(key, 64)) }

// upper begins a sentence with a name.
func upper(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// known lists the keys of an object.
func (s *shape) known() []string {
	names := make([]string, len(s.keys))
	for i, k := range s.keys {
		names[i] = k.name
	}
	return names
}
