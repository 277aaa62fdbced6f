package action

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Schema is the JSON Schema (draft 2020-12) of the catalog file, for editors:
// what it refuses the loader refuses too. The loader refuses more, such as a
// placeholder nobody declared.
func Schema() ([]byte, error) {
	top := language().schema()
	top["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	top["title"] = "Telltale catalog"
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(top); err != nil {
		return nil, fmt.Errorf("encode schema: %w", err)
	}
	return b.Bytes(), nil
}

// schema is the shape in the words of JSON Schema.
func (s *shape) schema() map[string]any {
	switch s.kind {
	case objectKind:
		return s.objectSchema()
	case mappingKind:
		return map[string]any{"type": "object", "propertyNames": s.names.schema(), "additionalProperties": s.item.schema()}
	case listKind:
		list := map[string]any{"type": "array", "items": s.item.schema()}
		if s.min > 0 {
			list["minItems"] = s.min
		}
		return list
	case booleanKind:
		return map[string]any{"type": "boolean"}
	case switchKind:
		return map[string]any{"type": []string{"boolean", "string"}}
	case durationKind:
		return map[string]any{"type": "string", "pattern": whole(s.pattern)}
	case numberKind, integerKind:
		n := map[string]any{"type": string(s.kind)}
		if s.min != 0 || s.max != 0 {
			n["minimum"], n["maximum"] = s.min, s.max
		}
		return n
	case lineKind, textKind, scalarKind:
	}
	return s.textSchema()
}

// objectSchema is the schema of an object.
func (s *shape) objectSchema() map[string]any {
	properties := map[string]any{}
	var required []string
	for _, k := range s.keys {
		property := k.shape.schema()
		property["description"] = k.doc
		if k.standard != "" {
			property["default"] = k.standardValue()
		}
		properties[k.name] = property
		if k.required {
			required = append(required, k.name)
		}
	}
	object := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if s.rest != nil {
		object["additionalProperties"], object["propertyNames"] = s.rest.schema(), s.names.schema()
	}
	if required != nil {
		object["required"] = required
	}
	for _, group := range s.oneOf {
		var choices []any
		for _, name := range group {
			choices = append(choices, map[string]any{"required": []string{name}})
		}
		object["oneOf"] = choices
	}
	return object
}

// textSchema is the schema of text.
func (s *shape) textSchema() map[string]any {
	text := map[string]any{"type": "string"}
	if s.kind == scalarKind {
		text["type"] = []string{"string", "number", "boolean"}
	}
	if s.kind == lineKind {
		text["minLength"] = 1
	}
	if s.max > 0 {
		text["maxLength"] = s.max
	}
	if s.enum != nil {
		text["enum"] = s.enum
		delete(text, "minLength")
	}
	if s.pattern != "" {
		text["pattern"] = whole(s.pattern)
	}
	return text
}

// schema is the rule for names, without its exceptions.
func (r nameRule) schema() map[string]any { return map[string]any{"pattern": whole(r.pattern)} }

// standardValue is what an absent key means, as JSON.
func (k key) standardValue() any {
	switch k.shape.kind {
	case booleanKind, switchKind:
		return k.standard == "true"
	case integerKind, numberKind:
		if n, err := strconv.ParseFloat(k.standard, 64); err == nil {
			return n
		}
	case objectKind, mappingKind, listKind, lineKind, textKind, scalarKind, durationKind:
	}
	return k.standard
}

// whole anchors a pattern as JSON Schema needs it.
func whole(pattern string) string {
	if strings.ContainsRune(pattern, '|') {
		return "^(?:" + pattern + ")$"
	}
	return "^" + pattern + "$"
}
