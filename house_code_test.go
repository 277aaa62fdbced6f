package main

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// maxLines is the most lines a Go file may have. There are no exceptions: a
// longer file tells two stories, so split it by noun.
const maxLines = 400

// packagesSayWhatTheyAre: each package has a package comment, in one file.
func packagesSayWhatTheyAre(t *tree) []string {
	said := map[string][]string{}
	for _, s := range t.files {
		if strings.HasSuffix(s.path, "_test.go") {
			continue
		}
		said[s.dir] = append(said[s.dir], "")
		if doc := s.syntax.Doc; doc != nil && strings.TrimSpace(doc.Text()) != "" {
			said[s.dir] = append(said[s.dir], s.path)
		}
	}
	var faults []string
	for dir, where := range said {
		where = slices.DeleteFunc(where, func(p string) bool { return p == "" })
		switch {
		case len(where) == 0:
			faults = append(faults, label(dir)+": no package comment says what it is")
		case len(where) > 1:
			faults = append(faults, fmt.Sprintf("%s: more than one package comment: %s", label(dir), strings.Join(where, ", ")))
		}
	}
	return faults
}

// packagesHaveAMeaning: nothing is named for being handy.
func packagesHaveAMeaning(t *tree) []string {
	empty := regexp.MustCompile(`^(utils?|helpers?|managers?|common|misc|shared|models?|types|base|lib)$`)
	var faults []string
	for _, s := range t.files {
		name := strings.TrimSuffix(s.syntax.Name.Name, "_test")
		file := strings.TrimSuffix(strings.TrimSuffix(path.Base(s.path), ".go"), "_test")
		switch {
		case empty.MatchString(name):
			faults = append(faults, fmt.Sprintf("%s: package %s is not named for what it does", s.path, name))
		case empty.MatchString(file):
			faults = append(faults, s.path+": the file is not named for what it holds")
		}
	}
	return faults
}

// filesAreShort: no Go file is longer than maxLines.
func filesAreShort(t *tree) []string {
	var faults []string
	for _, s := range t.files {
		if s.lines > maxLines && !ast.IsGenerated(s.syntax) {
			faults = append(faults, fmt.Sprintf("%s: %d lines; split it by noun (at most %d)", s.path, s.lines, maxLines))
		}
	}
	return faults
}

// testsDoNotSleep: a test waits for a signal, not for time to pass. In a
// synctest bubble sleeping costs nothing and waits for nothing.
func testsDoNotSleep(t *tree) []string {
	var faults []string
	for _, s := range t.files {
		if !s.test || slices.Contains(s.imports(), "testing/synctest") {
			continue
		}
		s.selectors("Sleep", func(x *ast.SelectorExpr) {
			if p, ok := x.X.(*ast.Ident); ok && p.Name == "time" {
				faults = append(faults, t.at(x)+": a test waits for an event, it does not sleep")
			}
		})
	}
	return faults
}

// jobtestStaysInTests: the conformance suite is no part of the product.
func jobtestStaysInTests(t *tree) []string {
	var faults []string
	for _, s := range t.files {
		if !s.test && slices.Contains(s.imports(), module+"/backend/job/jobtest") {
			faults = append(faults, s.path+": jobtest is for tests only")
		}
	}
	return faults
}

// onePlaceAppends: every change of a job goes through the engine's commit. The
// check goes by the shape of job.Journal's Append, Append(ctx, change), since
// it reads syntax only.
func onePlaceAppends(t *tree) []string {
	var faults []string
	for _, s := range t.files {
		if s.test || !slices.Contains([]string{"backend/engine", "scheduler", "backend/api", "app", "app/cli"}, homeName(s)) {
			continue
		}
		for _, d := range s.syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || (homeName(s) == "backend/engine" && fn.Name.Name == "commit") {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) != 2 {
					return true
				}
				if x, ok := call.Fun.(*ast.SelectorExpr); ok && x.Sel.Name == "Append" && !text(call.Args[0]) {
					faults = append(faults, t.at(x)+": only the engine's commit may append to the journal")
				}
				return true
			})
		}
	}
	return faults
}

// text reports whether an argument is a string: then the call is about headers.
func text(e ast.Expr) bool {
	_, literal := e.(*ast.BasicLit)
	_, constant := e.(*ast.SelectorExpr)
	return literal || constant
}

// onePlacePublishes: the feed is told from one place, in the journal's order.
func onePlacePublishes(t *tree) []string {
	var places []string
	for _, s := range t.files {
		if s.test || homeName(s) == "backend/feed" {
			continue
		}
		s.selectors("Publish", func(x *ast.SelectorExpr) { places = append(places, t.at(x)) })
	}
	if len(places) <= 1 {
		return nil
	}
	slices.Sort(places)
	return []string{"the feed is told from more than one place: " + strings.Join(places, ", ")}
}

func homeName(s *source) string {
	f, _ := home(s.dir)
	return f.pkg
}
