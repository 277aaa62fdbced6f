package action

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const reference = "../../docs/reference/"

// TestSchemaUnderVersionControlIsTheLanguage compares the generated files with
// the committed ones; -update writes them.
func TestSchemaUnderVersionControlIsTheLanguage(t *testing.T) {
	t.Parallel()
	schema, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	for file, got := range map[string]string{
		"catalog.schema.json": string(schema),
		"catalog.md":          referencePage(),
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			if flag.Lookup("update").Value.String() == "true" {
				if err := os.WriteFile(reference+file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(reference + file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("docs/reference/%s (-committed +generated; go test -update writes it):\n%s", file, diff)
			}
		})
	}
}

// TestSchemaAgreesWithTheLoader holds good catalogs and examples against the
// schema, and checks that it refuses what is wrong in shape.
func TestSchemaAgreesWithTheLoader(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	for _, pattern := range []string{"testdata/catalog/*.good.yaml", "../../examples/*.yaml", "../../app/starter/content/telltale.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Error("no files for", pattern, err)
		}
		for _, file := range files {
			if _, err := Load(file); err != nil {
				t.Errorf("loader: %v", err)
			}
			if err := schema.Validate(document(t, file)); err != nil {
				t.Errorf("schema: %s: %v", file, err)
			}
		}
	}
	if err := schema.Validate(document(t, "testdata/catalog/keys.bad.yaml")); err == nil {
		t.Error("the schema takes keys.bad.yaml")
	}
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("catalog.schema.json", decoded); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("catalog.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// document reads YAML as a program that knows nothing of catalogs does.
func document(t *testing.T, file string) any {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := yaml.YAMLToJSON(data)
	if err != nil {
		t.Logf("%s: %v", file, err)
		return map[string]any{}
	}
	decoded, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// referencePage writes docs/reference/catalog.md.
func referencePage() string {
	var b strings.Builder
	b.WriteString(`# The catalog file

Every key of ` + "`telltale.yaml`" + `. This page is generated from the same table that checks the file
(` + "`language` in `backend/action`" + `), and so is [catalog.schema.json](catalog.schema.json), the JSON Schema
for editors. ` + "`telltale validate`" + ` prints every fault of a file, each with its place.

The file is YAML without anchors, aliases, tags and merges: it says what it means in the place where
it says it. It has at most 512 KiB. Relative paths start in the folder the file is in. Ids are
` + slugs.said + `.
Names of parameters and of a target's values are ` + names.said + `.
A duration is whole numbers with units, from milliseconds to weeks:
` + "`500ms`, `90s`, `1h30m`, `7d`, `2w`" + `.

` + "`{{params.name}}` and `{{target.name}}`" + ` are filled in where a key says so, as plain text, once; two
opening braces as text are written ` + "`{{{{`" + `.

`)
	describe(&b, "the catalog", "##", language())
	return b.String()
}

// describe writes the table of an object, then those of what it holds.
func describe(b *strings.Builder, title, level string, s *shape) {
	fmt.Fprintf(b, "%s %s\n\n", level, upper(title))
	for _, group := range s.oneOf {
		fmt.Fprintf(b, "Exactly one of `%s` must be there.\n\n", strings.Join(group, "`, `"))
	}
	b.WriteString("| key | value | when absent | what it says |\n|---|---|---|---|\n")
	for _, k := range s.keys {
		absent := "-"
		if k.required {
			absent = "an error"
		}
		if k.standard != "" {
			absent = "`" + k.standard + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", k.name, valueWords(k.shape), absent, strings.ReplaceAll(k.doc, "|", "\\|"))
	}
	b.WriteString("\n")
	for _, k := range s.keys {
		inner := k.shape
		called := "`" + k.name + "`"
		if title == "`api`" {
			called = "`api` `" + k.name + "`"
		}
		if inner.kind == mappingKind {
			inner, called = inner.item, "each of "+called
		}
		if inner.kind == objectKind {
			describe(b, called, "##", inner)
		}
	}
}

// valueWords says what may stand behind a key.
func valueWords(s *shape) string {
	limits := ""
	if s.max > 0 && (s.kind == integerKind || s.kind == numberKind) {
		limits = fmt.Sprintf(", %s to %s", number(s.min), number(s.max))
	}
	if s.max > 0 && s.kind == durationKind {
		limits = fmt.Sprintf(", %s to %s", seconds(s.min), seconds(s.max))
	}
	if s.max > 0 && (s.kind == lineKind || s.kind == textKind || s.kind == scalarKind) {
		limits = fmt.Sprintf(", up to %s characters", number(s.max))
	}
	switch s.kind {
	case listKind:
		return "a list: " + valueWords(s.item)
	case mappingKind:
		if s.item.kind == objectKind {
			return "a mapping"
		}
		return "a mapping of names to: " + valueWords(s.item)
	case lineKind:
		if s.enum != nil {
			return "`" + strings.Join(s.enum, "`, `") + "`"
		}
		return "one line of text" + limits
	case durationKind:
		return "a duration" + limits
	case objectKind, textKind, scalarKind, numberKind, integerKind, booleanKind, switchKind:
	}
	return s.describe() + limits
}
