package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// decode reads a request body more strictly than encoding/json does: one object
// in UTF-8, the fields of T spelled as documented, no name twice anywhere, at
// most maxDepth levels, nothing after it. An empty body is an empty object.
func decode[T any](body []byte) (T, error) {
	var out T
	if len(body) == 0 {
		return out, nil
	}
	if !utf8.Valid(body) {
		return out, refuse("bad_json", "The body is not UTF-8.")
	}
	if err := checkShape(body, fieldsOf(reflect.TypeFor[T]())); err != nil {
		return out, err
	}
	if err := json.Unmarshal(body, &out); err != nil {
		return out, wrongType(err)
	}
	return out, nil
}

// fieldsOf is the JSON names of a struct.
func fieldsOf(t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// level is an object or list that is being read.
type level struct {
	names map[string]bool // nil for a list
	name  string          // of the value that is being read
	key   bool            // an object's next token is a name
}

// checkShape walks over the tokens, which takes memory for the depth and the
// names of open objects only.
func checkShape(body []byte, known []string) error {
	tokens := json.NewDecoder(bytes.NewReader(body))
	tokens.UseNumber() // sizes are judged where the number is used
	var open []*level
	for {
		t, err := tokens.Token()
		if errors.Is(err, io.EOF) && len(open) == 0 {
			return nil
		}
		if err != nil {
			return refuse("bad_json", "The body is not well-formed JSON: the fault is near byte %d.", tokens.InputOffset())
		}
		if open, err = step(open, t, known); err != nil {
			return err
		}
		if len(open) > 0 {
			continue
		}
		if t != json.Delim('}') {
			return refuse("bad_json", "The body must be one JSON object.")
		}
		if tokens.More() {
			return refuse("bad_json", "Something follows the JSON object, at byte %d.", tokens.InputOffset())
		}
	}
}

// step takes one token.
func step(open []*level, t json.Token, known []string) ([]*level, error) {
	var in *level
	if len(open) > 0 {
		in = open[len(open)-1]
	}
	if in != nil && in.key && t != json.Delim('}') {
		name, _ := t.(string) // the decoder lets nothing else stand here
		path := pathOf(open, name)
		if in.names[name] {
			return nil, refuse("bad_json", "The name %s is given twice.", path)
		}
		if len(open) == 1 && !slices.Contains(known, name) {
			r := refuse("bad_json", "The body has a field that is not known.")
			r.fields = []FieldFault{{Field: path, Message: "is not known; there are " + strings.Join(known, ", ")}}
			return nil, r
		}
		in.names[name], in.name, in.key = true, name, false
		return open, nil
	}
	if in != nil && in.names != nil {
		in.key = true // after this value comes a name
	}
	switch t {
	case json.Delim('{'):
		open = append(open, &level{names: map[string]bool{}, key: true})
	case json.Delim('['):
		open = append(open, &level{name: "[]"})
	case json.Delim('}'), json.Delim(']'):
		open = open[:len(open)-1]
	}
	if len(open) > maxDepth {
		return nil, refuse("bad_json", "The body is nested more than %d levels deep.", maxDepth)
	}
	return open, nil
}

func pathOf(open []*level, name string) string {
	var parts []string
	for _, l := range open[:len(open)-1] {
		parts = append(parts, l.name)
	}
	return printable(strings.Join(append(parts, name), "."))
}

// wrongType says which field holds what it should not.
func wrongType(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return refuse("bad_json", "The body is not the JSON we expect.")
	}
	message := fmt.Sprintf("must be %s, not %s", kindWord(wrong.Type), valueWord(wrong.Value))
	if _, outOfRange := strings.CutPrefix(wrong.Value, "number "); outOfRange {
		message = "holds a number that is too large"
	}
	field := wrong.Field
	if field == "" {
		field = "body"
	}
	r := refuse("bad_json", "A field of the body has the wrong type.")
	r.fields = []FieldFault{{Field: printable(field), Message: message}}
	return r
}

func kindWord(t reflect.Type) string {
	kind := t.Kind()
	if kind == reflect.String {
		return "text"
	}
	if kind == reflect.Map || kind == reflect.Struct {
		return "an object"
	}
	if kind == reflect.Slice {
		return "a list"
	}
	return "a " + kind.String()
}

func valueWord(v string) string {
	switch v {
	case "string":
		return "text"
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "bool":
		return "a boolean"
	}
	return "a number"
}
