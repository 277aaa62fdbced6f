package action

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a catalog file.
const (
	maxFile  = 512 << 10 // bytes
	maxDepth = 32        // what stands inside what; the language needs 7
)

// node is one value of the file: the subset of YAML a catalog is written in.
// There are no anchors, aliases, tags and merges, so the file says what it
// means in the place where it says it, and cannot be made to grow.
type node struct {
	line, column int
	form         form
	text         string   // a scalar as it stands in the file, unquoted
	keys         []entry  // a mapping, in order, each key once
	items        []*node  // a list
	lost         []string // names of parts that were left out because they are wrong
}

// entry is one key of a mapping.
type entry struct {
	name string
	key  *node // the key itself, for its place
	node *node
}

// form is how a value is written.
type form string

const (
	stringForm  form = "text"
	numberForm  form = "a number"
	booleanForm form = "true or false"
	nullForm    form = "nothing"
	mapForm     form = "a mapping"
	listForm    form = "a list"
)

func (n *node) at() (line, column int) { return n.line, n.column }

// get is the value of a key, nil when there is none. It may be called on nil.
func (n *node) get(name string) *node {
	if n == nil {
		return nil
	}
	for _, e := range n.keys {
		if e.name == name {
			return e.node
		}
	}
	return nil
}

// string is the text of a scalar, "" for nil.
func (n *node) string() string {
	if n == nil {
		return ""
	}
	return n.text
}

// list is the items of a list, none for nil.
func (n *node) list() []*node {
	if n == nil {
		return nil
	}
	return n.items
}

// entries is the keys of a mapping, none for nil.
func (n *node) entries() []entry {
	if n == nil {
		return nil
	}
	return n.keys
}

// readNodes parses the text of a file. It returns nil when there is nothing to
// go on with, having said why in faults.
func readNodes(text string, faults *Faults) (root *node) {
	top := &node{line: 1, column: 1}
	defer func() {
		if r := recover(); r != nil { // the YAML library met something it did not expect
			faults.add(top, "", "The file cannot be read as YAML: %v.", r)
			root = nil
		}
	}()
	tokens := lexer.Tokenize(text)
	if deep := tooDeep(tokens); deep != nil {
		faults.add(deep, "", "What stands here is nested more than %d levels deep.", maxDepth)
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		addSyntax(err, faults)
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			faults.add(placed(doc.Body), "", "A catalog is one YAML document; a second one begins here.")
			break
		}
		body = doc.Body
	}
	if body == nil {
		faults.add(top, `It needs at least "actions:".`, "The file is empty.")
		return nil
	}
	r := reader{faults}
	return r.read(body)
}

// reader turns the library's tree into nodes.
type reader struct{ faults *Faults }

// read returns nil for what a catalog cannot hold, having said so.
func (r reader) read(from ast.Node) *node {
	n := placed(from)
	switch v := from.(type) {
	case *ast.StringNode:
		n.form, n.text = stringForm, v.Value
		if v.Token.Type == token.StringType && decimal.MatchString(v.Value) {
			n.form = numberForm // 1e6, which the library takes for text
		}
	case *ast.LiteralNode:
		n.form, n.text = stringForm, v.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		n.form, n.text = numberForm, from.GetToken().Value
	case *ast.BoolNode:
		n.form, n.text = booleanForm, from.GetToken().Value
	case *ast.NullNode:
		n.form = nullForm
	case *ast.MappingNode:
		n.form = mapForm
		r.readKeys(n, v.Values)
	case *ast.MappingValueNode:
		n.form = mapForm
		r.readKeys(n, []*ast.MappingValueNode{v})
	case *ast.SequenceNode:
		n.form = listForm
		for _, item := range v.Values {
			if read := r.read(item); read != nil {
				n.items = append(n.items, read)
			}
		}
	case *ast.AnchorNode, *ast.AliasNode:
		r.faults.add(n, "Write the value out.", "Anchors and aliases are not part of a catalog.")
		return nil
	case *ast.TagNode:
		r.faults.add(n, "Leave the tag out.", "Tags such as %q are not part of a catalog.", clip(v.GetToken().Value, 40))
		return nil
	default:
		r.faults.add(n, "", "This kind of YAML is not part of a catalog.")
		return nil
	}
	return n
}

// readKeys fills a mapping; a key that comes twice counts once.
func (r reader) readKeys(n *node, values []*ast.MappingValueNode) {
	first := map[string]int{}
	for i, v := range values {
		key := placed(v.Key)
		if i == 0 && !v.IsFlowStyle && (n.line != key.line || n.column > key.column) {
			n.line, n.column = key.line, key.column // the library's place is the colon
		}
		switch k := v.Key.(type) {
		case *ast.StringNode:
			key.text = k.Value
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
			key.text = k.GetToken().Value
		case *ast.MergeKeyNode:
			r.faults.add(key, "Write the keys out.", `Merging with "<<" is not part of a catalog.`)
			continue
		default:
			r.faults.add(key, "", "A key must be plain text.")
			continue
		}
		if line, twice := first[key.text]; twice {
			r.faults.add(key, "", "The key %q is here a second time; the first is in line %d.", clip(key.text, 64), line)
			continue
		}
		first[key.text] = key.line
		n.keep(entry{name: key.text, key: key}, r.read(v.Value))
	}
}

// placed is an empty node at the place of a node of the library.
func placed(from ast.Node) *node {
	if from == nil || from.GetToken() == nil || from.GetToken().Position == nil {
		return &node{}
	}
	return at(from.GetToken())
}

// at is an empty node at the place of a token.
func at(t *token.Token) *node {
	return &node{line: t.Position.Line, column: t.Position.Column}
}

// tooDeep finds the place where a file nests too deep to be parsed: the library
// descends once a level, and a stack that overflows cannot be caught. Levels
// are brackets, and indicators in a row; indentation takes care of itself,
// since it costs a column a level.
func tooDeep(tokens token.Tokens) *node {
	depth, row, line := 0, 0, 0
	for _, t := range tokens {
		if depth == 0 && t.Position.Line != line {
			row, line = 0, t.Position.Line
		}
		switch t.Type { //nolint:exhaustive // all other tokens nest nothing
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth, row = max(0, depth-1), 0
		case token.CollectEntryType:
			row = 0
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType, token.AnchorType, token.TagType:
			row++
		}
		if depth > maxDepth || row > maxDepth {
			return at(t)
		}
	}
	return nil
}

// addSyntax notes why the library could not read the file.
func addSyntax(err error, faults *Faults) {
	where, message := &node{line: 1, column: 1}, err.Error()
	if known, ok := errors.AsType[yaml.Error](err); ok {
		message = known.GetMessage()
		if t := known.GetToken(); t != nil && t.Position != nil {
			where = at(t)
		}
	}
	hint := ""
	if strings.Contains(message, "tab character") || strings.Contains(message, "character '\t'") {
		hint = "A tab may not stand there; indent with blanks."
	}
	faults.add(where, hint, "%s", fmt.Sprintf("The YAML cannot be read: %s.", strings.TrimSuffix(clip(message, 200), ".")))
}
