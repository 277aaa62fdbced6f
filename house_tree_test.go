package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

const module = "telltale"

// tree is the checkout as the laws see it: every Go file parsed, every page of
// documentation, and go.mod.
type tree struct {
	root  fs.FS
	fset  *token.FileSet
	files []*source
	pages []string
}

// source is one Go file. Dir is "" for the root of the module; test is also true
// of the packages that exist for tests only, which end in "test".
type source struct {
	path, dir string
	test      bool
	lines     int
	syntax    *ast.File
}

// readTree reads what git would keep: nothing generated, fetched or hidden.
// Trees under testdata are examples, not the house.
func readTree(root fs.FS) (*tree, error) {
	t := &tree{root: root, fset: token.NewFileSet()}
	skip := []string{"node_modules", "testdata", "dist", "var", "bin", "tools"}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (slices.Contains(skip, d.Name()) || d.Name()[0] == '.'):
			return fs.SkipDir
		case path.Ext(name) == ".md" && (path.Dir(name) == "." || strings.HasPrefix(name, "docs/")):
			t.pages = append(t.pages, name)
		case path.Ext(name) == ".go":
			return t.add(name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("house: %w", err)
	}
	return t, nil
}

func (t *tree) add(name string) error {
	text, err := fs.ReadFile(t.root, name)
	if err != nil {
		return err
	}
	syntax, err := parser.ParseFile(t.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	test := strings.HasSuffix(name, "_test.go") || strings.HasSuffix(path.Dir(name), "test")
	t.files = append(t.files, &source{
		path: name, dir: strings.TrimPrefix(path.Dir(name), "."), test: test,
		lines: strings.Count(string(text), "\n"), syntax: syntax,
	})
	return nil
}

// read is a file's text, or "" when there is none.
func (t *tree) read(name string) string {
	text, err := fs.ReadFile(t.root, name)
	if err != nil {
		return ""
	}
	return string(text)
}

// at is where a node stands, as people and editors write it.
func (t *tree) at(n ast.Node) string {
	p := t.fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// imports lists the paths a file imports.
func (s *source) imports() []string {
	var list []string
	for _, i := range s.syntax.Imports {
		list = append(list, strings.Trim(i.Path.Value, `"`))
	}
	return list
}

// selectors calls fn for every x.name in the file.
func (s *source) selectors(name string, fn func(x *ast.SelectorExpr)) {
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		if x, ok := n.(*ast.SelectorExpr); ok && x.Sel.Name == name {
			fn(x)
		}
		return true
	})
}
