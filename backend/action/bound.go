package action

import (
	"maps"
	"slices"
	"strconv"
)

// Secrets looks up stored secrets by name.
type Secrets interface {
	Secret(name string) (value string, ok bool)
}

// Bound is a trigger's parameters and target, checked against the action. It
// is made by [Action.Bind], never changed afterwards, and must not be stored
// or logged whole: it holds secrets.
type Bound struct {
	Target Target         // zero when the action has no targets
	Public map[string]any // what the record shows: every parameter that is not a secret, with defaults filled in: string, float64 or bool

	given  map[string]string // secret parameters that were filled in
	stored map[string]string // stored secrets the action names
}

// Secret is the value of a secret parameter, "" when it was not given.
func (b Bound) Secret(name string) string { return b.given[name] }

// GivenSecrets reports whether a secret parameter was filled in. Such a job
// cannot be run again without asking: the value is kept nowhere.
func (b Bound) GivenSecrets() bool { return len(b.given) > 0 }

// Lookup is a stored secret the action names. It is not found when nobody has
// stored it, or when the action does not name it.
func (b Bound) Lookup(secretName string) (string, bool) {
	value, ok := b.stored[secretName]
	return value, ok
}

// SecretValues is every secret this run could reveal, given and stored, each
// once and none empty, in no particular order: what must be masked in whatever
// the run says.
func (b Bound) SecretValues() []string {
	distinct := make(map[string]bool, len(b.given)+len(b.stored))
	for _, from := range []map[string]string{b.given, b.stored} {
		for _, value := range from {
			if value != "" {
				distinct[value] = true
			}
		}
	}
	return slices.Collect(maps.Keys(distinct))
}

// Fill puts a template of the catalog together: {{params.x}} and {{target.x}}
// become their values as plain text, which nothing reads again. A parameter
// that was not given and has no default is empty, true and false are words,
// numbers have no exponent. Names were checked when the catalog was loaded; an
// unknown one is empty, and text that is no template comes back as it is.
func (b Bound) Fill(text string) string {
	parsed, err := parseTemplate(text)
	if err != nil {
		return text
	}
	return parsed.fill(b.value)
}

// value is the text of one placeholder.
func (b Bound) value(p place) string {
	if p.Root == "target" {
		return b.Target.value(p.Name)
	}
	switch v := b.Public[p.Name].(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return b.given[p.Name]
}

// value is what {{target.name}} stands for, "" when the target has no such
// value.
func (t Target) value(name string) string {
	switch name {
	case "id":
		return t.ID
	case "title":
		return t.Title
	}
	return t.Values[name]
}
