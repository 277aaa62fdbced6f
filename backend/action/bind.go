package action

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Limits of what a trigger may send. A job record takes at most 16 KiB, and
// parameters are the only part of it that is not cut to fit.
const (
	maxValue  = 4 << 10 // bytes of one value
	maxValues = 8 << 10 // bytes of all values, as JSON in the record
	maxFaults = 50      // faults listed of one trigger or one file
)

// targetField is the Field of a fault in the target. It is a reserved name, so
// no parameter can be meant.
const targetField = "target"

// FieldError is one fault in a trigger: Field names the parameter, or is
// "target". Message is one sentence for people and never repeats the value.
type FieldError struct {
	Field   string
	Message string
}

// BindError lists every fault in a trigger's target and parameters: first the
// target, then parameters in the order of the catalog, then unknown names by
// alphabet.
type BindError struct {
	Fields []FieldError
}

// Error says all faults in one line.
func (e *BindError) Error() string {
	said := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		said[i] = f.Field + ": " + f.Message
	}
	return "bad parameters: " + strings.Join(said, "; ")
}

// add notes one fault, up to a number nobody reads beyond.
func (e *BindError) add(field, format string, args ...any) {
	if len(e.Fields) < maxFaults {
		e.Fields = append(e.Fields, FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
	}
}

// Bind checks a trigger's target and parameters against the action and fills
// in defaults. It returns a *[BindError] with every fault at once.
//
// Values are what JSON gives: string, float64, bool, and nil for "not given".
// Numbers and booleans may also come as strings ("12.5", "true", "false"), as
// from the command line, where everything is text. An empty string counts as
// not given for a number, a boolean, a secret, and for a text or select that
// is required or has no default.
//
// Text is valid UTF-8 and is recorded in Unicode normal form C; it has no
// control characters, does not begin with "-" unless the parameter allows it,
// and matches the parameter's pattern as a whole. A boolean that was not given
// and has no default is false.
//
// secrets may be nil when nothing is stored. A stored secret that is missing
// is no fault here: the run says so, with its own hint.
func (a *Action) Bind(target string, params map[string]any, secrets Secrets) (Bound, error) {
	b := Bound{Public: map[string]any{}, given: map[string]string{}, stored: map[string]string{}}
	faults := &BindError{}

	b.Target = a.bindTarget(target, faults)
	for i := range a.Params {
		p := &a.Params[i]
		value, fault := p.bind(params[p.Name])
		switch {
		case fault != "":
			faults.add(p.Name, "%s", fault)
		case value == nil:
		case p.Type == SecretParam:
			b.given[p.Name], _ = value.(string)
		default:
			b.Public[p.Name] = value
		}
	}
	a.refuseUnknown(params, faults)
	if size := recordedSize(b); size > maxValues && len(faults.Fields) == 0 {
		faults.add("params", "All parameters together take %d bytes in the record; at most %d are allowed.", size, maxValues)
	}
	if len(faults.Fields) > 0 {
		return Bound{}, faults
	}
	for _, name := range a.secretNames() {
		if secrets == nil {
			break
		}
		if value, ok := secrets.Secret(name); ok {
			b.stored[name] = value
		}
	}
	return b, nil
}

// bindTarget finds the target.
func (a *Action) bindTarget(id string, faults *BindError) Target {
	if len(a.Targets) == 0 {
		if id != "" {
			faults.add(targetField, "This action has no targets; leave the target out.")
		}
		return Target{}
	}
	ids := make([]string, len(a.Targets))
	for i, t := range a.Targets {
		if t.ID == id {
			return t
		}
		ids[i] = t.ID
	}
	if id == "" {
		faults.add(targetField, "Choose a target: %s.", inWords(ids))
		return Target{}
	}
	faults.add(targetField, "There is no target %q%s", clip(id, 64), orChoose(id, ids))
	return Target{}
}

// refuseUnknown notes names the action does not declare.
func (a *Action) refuseUnknown(params map[string]any, faults *BindError) {
	known := make([]string, len(a.Params))
	for i := range a.Params {
		known[i] = a.Params[i].Name
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		switch {
		case slices.Contains(known, name):
		case isReserved(name):
			faults.add(clip(name, 64), "This name is reserved and cannot be a parameter.")
		default:
			faults.add(clip(name, 64), "There is no parameter %q%s", clip(name, 64), orChoose(name, known))
		}
	}
}

// secretNames lists the stored secrets the action names.
func (a *Action) secretNames() []string {
	var names []string
	if a.Command != nil {
		names = slices.Sorted(maps.Values(a.Command.Secrets))
	}
	if a.API != nil && a.API.Key.Secret != "" {
		names = append(names, a.API.Key.Secret)
	}
	return names
}

// isReserved reports whether a parameter may not have this name: names Telltale
// keeps for itself, and names that mean something to the JavaScript that reads
// the record.
func isReserved(name string) bool {
	switch name {
	case targetField, "params", "reason", "constructor", "prototype":
		return true
	}
	return strings.HasPrefix(name, "telltale") || strings.HasPrefix(name, "_")
}

// recordedSize is how many bytes the public values take as JSON, which may be
// six times what was sent, or the secrets by themselves.
func recordedSize(b Bound) int {
	encoded, err := json.Marshal(b.Public)
	if err != nil {
		return maxValues + 1
	}
	secret := 0
	for _, value := range b.given {
		secret += len(value)
	}
	return max(len(encoded), secret)
}

// orChoose ends a sentence about an unknown word with the nearest known one,
// or with all of them when they are few.
func orChoose(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(known) == 0 {
		return "; this action takes none."
	}
	return "; choose " + inWords(known) + "."
}

// inWords joins words for people, at most eight of them.
func inWords(words []string) string {
	if len(words) > 8 {
		return strings.Join(words[:8], ", ") + fmt.Sprintf(" or one of %d more", len(words)-8)
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
