package main

import (
	"fmt"
	"slices"
	"strings"
)

// floor is one row of docs/explanation/architecture.md: a package, how high it
// stands, and which of ours its product code may import. A folder below a
// package that has no row of its own belongs to that package.
type floor struct {
	pkg    string
	height int
	may    []string
}

func floors() []floor {
	return []floor{
		{"backend/job", 0, nil},
		{"backend/action", 0, nil},
		{"backend/auth", 0, nil},
		{"backend/store", 1, []string{"backend/job"}},
		{"backend/feed", 1, []string{"backend/job"}},
		{"backend/runner", 1, []string{"backend/job", "backend/action"}},
		{"backend/engine", 2, []string{"backend/job", "backend/action", "backend/auth", "backend/runner"}},
		{"scheduler", 3, []string{"backend/job", "backend/action", "backend/engine"}},
		{"backend/api", 4, []string{
			"backend/job", "backend/action", "backend/auth", "backend/feed", "backend/engine", "scheduler",
		}},
		{"app", 5, []string{
			"backend/job", "backend/action", "backend/auth", "backend/store", "backend/feed", "backend/runner",
			"backend/engine", "scheduler", "backend/api",
		}},
		{"app/cli", 6, []string{"backend/job", "backend/action", "backend/api", "app"}},
		{"", 7, []string{"app/cli"}},
	}
}

// doors says which of our packages may know a vendor. Whatever is not listed
// may be imported nowhere: a new dependency is a decision, made here.
func doors() map[string][]string {
	return map[string][]string{
		"github.com/dgraph-io/badger":           {"backend/store"},
		"github.com/gofiber/fiber":              {"backend/api"},
		"github.com/valyala/fasthttp":           {"backend/api"},
		"github.com/danielgtaylor/huma":         {"backend/api"},
		"github.com/robfig/cron":                {"scheduler"},
		"github.com/wailsapp/wails":             {"app"},
		"github.com/spf13/cobra":                {"app/cli"},
		"github.com/spf13/pflag":                {"app/cli"},
		"github.com/charmbracelet/x/ansi":       {"app/cli"},
		"golang.org/x/term":                     {"app/cli"},
		"golang.org/x/text":                     {"backend/action"},
		"github.com/goccy/go-yaml":              {"backend/action"},
		"github.com/fsnotify/fsnotify":          {"backend/action"},
		"github.com/klauspost/compress":         {"backend/store"},
		"github.com/invopop/jsonschema":         {"backend/action"},
		"github.com/santhosh-tekuri/jsonschema": {"backend/action"},
		"golang.org/x/sys":                      {"backend/store", "backend/runner", "backend/feed", "backend/api", "app"},
	}
}

// testDoors are vendors any test may use and no product code.
func testDoors() []string {
	return []string{
		"github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "github.com/tmaxmax/go-sse", "pgregory.net/rapid",
	}
}

// home is the row a folder belongs to: its own, or that of the nearest package
// above it. The root of the module is nobody's home but its own.
func home(dir string) (floor, bool) {
	best, found := floor{}, false
	for _, f := range floors() {
		if dir == f.pkg || (f.pkg != "" && strings.HasPrefix(dir, f.pkg+"/")) {
			if !found || len(f.pkg) > len(best.pkg) {
				best, found = f, true
			}
		}
	}
	return best, found
}

// importsPointDown: no import points up, and neighbours on a floor do not know
// each other. A test may look at everything below its own floor.
func importsPointDown(t *tree) []string {
	var faults []string
	for _, s := range t.files {
		from, ok := home(s.dir)
		if !ok {
			faults = append(faults, s.path+": this folder stands on no floor; give it one in house_imports_test.go")
			continue
		}
		for _, i := range s.imports() {
			dir, ours := strings.CutPrefix(i, module)
			if !ours || (dir != "" && dir[0] != '/') {
				continue
			}
			to, ok := home(strings.TrimPrefix(dir, "/"))
			down := ok && (to.pkg == from.pkg || slices.Contains(from.may, to.pkg) || (s.test && to.height < from.height))
			if !down {
				faults = append(faults, fmt.Sprintf("%s: %s may not import %s", s.path, label(from.pkg), i))
			}
		}
	}
	return faults
}

// vendorsHaveOneDoor: a module that is not ours is imported by the package that
// hides it and by no other.
func vendorsHaveOneDoor(t *tree) []string {
	var faults []string
	for _, s := range t.files {
		from, _ := home(s.dir)
		for _, i := range s.imports() {
			host, _, _ := strings.Cut(i, "/")
			if !strings.Contains(host, ".") {
				continue // the standard library and our own
			}
			if s.test && slices.ContainsFunc(testDoors(), func(v string) bool { return within(i, v) }) {
				continue
			}
			vendor, open := "", []string(nil)
			for v, d := range doors() {
				if within(i, v) {
					vendor, open = v, d
				}
			}
			switch {
			case vendor == "":
				faults = append(faults, fmt.Sprintf("%s: %s has no door in house_imports_test.go", s.path, i))
			case !slices.Contains(open, from.pkg):
				faults = append(faults, fmt.Sprintf("%s: %s is known only to %s", s.path, vendor, strings.Join(open, ", ")))
			}
		}
	}
	return faults
}

func within(path, prefix string) bool { return path == prefix || strings.HasPrefix(path, prefix+"/") }

func label(pkg string) string {
	if pkg == "" {
		return "main"
	}
	return pkg
}
