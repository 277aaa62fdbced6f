package output

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"telltale/backend/job"
)

// Bounds of what a GoTest keeps; counts go on beyond them.
const (
	maxTests   = 4096 // tests running at once
	maxNames   = 200  // failing tests named
	maxNotices = job.MaxNotices
	maxText    = 400 // bytes kept of what one said
)

// GoTest reads the output of go test -json: one event a line (cmd/test2json).
// A line that is not an event is only a line. A parent of subtests is not
// counted, nor named when one of its subtests failed. The zero GoTest is ready.
type GoTest struct {
	Passed, Failed, Skipped int // tests
	Packages                int // packages that began
	PackagesDone            int
	PackagesFailed          int // also those that did not build

	running  map[testName]*test
	failures []Failure
	skips    []job.Notice
	partial  map[testName]string // output without a line end so far
	seen     map[string]bool     // packages counted as failed
}

// Failure is a test that failed, or a package that did without one (Test is
// ""). Said is the line of its output that tells most.
type Failure struct {
	Package, Test, Said string
	File                string // where Said points to
	Line                int
}

// Name is what failed, for people: the test with the last part of its package,
// or the package.
func (f Failure) Name() string {
	if f.Test == "" {
		return f.Package
	}
	return f.Test + " (" + f.Package[strings.LastIndexByte(f.Package, '/')+1:] + ")"
}

type testName struct{ pkg, test string }

type test struct {
	parent     bool
	childFails bool
	said       said
}

// said is what a test or package printed, as far as it may be the reason.
type said struct {
	first    string // the first line
	placed   string // the last line that names a place: t.Fatal and t.Skip end a test
	panicked string
}

func (s *said) hear(line string) {
	if !telling(line) {
		return
	}
	line = Plain(line, maxText)
	if s.first == "" {
		s.first = line
	}
	if file, _, _ := place(line); file != "" {
		s.placed = line
	}
	if s.panicked == "" && strings.HasPrefix(line, "panic: ") {
		s.panicked = line
	}
}

func (s said) most() string { return cmp.Or(s.panicked, s.placed, s.first) }

type testEvent struct {
	Action      string
	Package     string
	Test        string
	Output      string
	ImportPath  string
	FailedBuild string
}

// Read takes one line. When it is an event, event is true and text holds the
// lines of plain output it completes, if any.
func (g *GoTest) Read(line string) (text []string, event bool) {
	if !strings.HasPrefix(line, "{") {
		return nil, false
	}
	var e testEvent
	if json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
		return nil, false
	}
	g.init()
	name := testName{e.Package, e.Test}
	switch e.Action {
	case "start":
		g.Packages++
	case "run":
		g.begin(name)
	case "output", "build-output":
		if e.Package == "" {
			name.pkg = e.ImportPath
		}
		return g.output(name, e.Output), true
	case "pass", "fail", "skip":
		text = g.rest(name)
		if e.Test == "" {
			g.endPackage(e)
			return text, true
		}
		g.endTest(name, e.Action)
		return text, true
	}
	return nil, true
}

// Counters says how the tests stand, for people.
func (g *GoTest) Counters() string {
	s := count(g.Passed, "test") + " passed"
	if g.Failed > 0 {
		s += ", " + strconv.Itoa(g.Failed) + " failed"
	}
	if g.Skipped > 0 {
		s += ", " + strconv.Itoa(g.Skipped) + " skipped"
	}
	return s
}

// Failures lists what failed in the order it did, at most the first 200: the
// tests, and packages that failed without a failing test.
func (g *GoTest) Failures() []Failure { return g.failures }

// Skips lists the skipped tests with their reasons, at most the first 20.
func (g *GoTest) Skips() []job.Notice { return g.skips }

func (g *GoTest) init() {
	if g.running == nil {
		g.running = map[testName]*test{}
		g.partial = map[testName]string{}
		g.seen = map[string]bool{}
	}
}

func (g *GoTest) begin(name testName) {
	if len(g.running) >= maxTests || name.test == "" {
		return
	}
	g.running[name] = &test{}
	if p := g.running[name.parent()]; p != nil {
		p.parent = true
	}
}

func (n testName) parent() testName {
	i := strings.LastIndexByte(n.test, '/')
	return testName{n.pkg, n.test[:max(i, 0)]}
}

// output puts the pieces of lines together.
func (g *GoTest) output(name testName, s string) []string {
	if p, ok := g.partial[name]; ok {
		s = p + s
		delete(g.partial, name)
	}
	var lines []string
	for {
		line, rest, ended := strings.Cut(s, "\n")
		if !ended {
			break
		}
		lines = append(lines, g.line(name, line))
		s = rest
	}
	switch {
	case s == "":
	case len(s) < MaxLine && len(g.partial) < maxTests:
		g.partial[name] = s
	default:
		lines = append(lines, g.line(name, s))
	}
	return lines
}

func (g *GoTest) rest(name testName) []string {
	s, ok := g.partial[name]
	if !ok {
		return nil
	}
	delete(g.partial, name)
	return []string{g.line(name, s)}
}

func (g *GoTest) line(name testName, s string) string {
	s = Clean(strings.TrimSuffix(s, "\r"))
	t := g.running[name]
	if name.test == "" {
		t = g.running[testName{pkg: name.pkg}]
		if t == nil && len(g.running) < maxTests {
			t = &test{}
			g.running[testName{pkg: name.pkg}] = t
		}
	}
	if t != nil {
		t.said.hear(s)
	}
	return s
}

// telling reports whether a line says more than the frame of go test.
func telling(s string) bool {
	s = strings.TrimSpace(s)
	for _, frame := range []string{"===", "---", "PASS", "FAIL", "ok  ", "exit status ", "coverage: ", "# ", "?   "} {
		if strings.HasPrefix(s, frame) {
			return false
		}
	}
	return s != ""
}

func (g *GoTest) endTest(name testName, how string) {
	t := g.running[name]
	delete(g.running, name)
	if t == nil {
		t = &test{}
	}
	switch {
	case how == "fail" && !t.childFails:
		g.Failed++
		g.fail(Failure{Package: name.pkg, Test: name.test}, t.said.most())
	case t.parent:
	case how == "skip":
		g.Skipped++
		if len(g.skips) < maxNotices {
			g.skips = append(g.skips, skipped(name, t.said.placed))
		}
	case how == "pass":
		g.Passed++
	}
	if p := g.running[name.parent()]; p != nil && how == "fail" {
		p.childFails = true
	}
}

func (g *GoTest) endPackage(e testEvent) {
	g.PackagesDone++
	name := testName{pkg: e.Package}
	t := g.running[name]
	delete(g.running, name)
	var hanging []testName
	for n := range g.running {
		if n.pkg == e.Package {
			hanging = append(hanging, n)
		}
	}
	if e.Action != "fail" {
		for _, n := range hanging {
			delete(g.running, n)
		}
		return
	}
	g.PackagesFailed++
	if t == nil {
		t = &test{}
	}
	named := len(g.failures)
	for _, n := range hanging { // a panic ends the process in the middle of its tests
		if h := g.running[n]; !h.parent {
			g.Failed++
			g.fail(Failure{Package: n.pkg, Test: n.test}, cmp.Or(h.said.most(), t.said.most()))
		}
		delete(g.running, n)
	}
	if named == len(g.failures) && !g.seen[e.Package] {
		most := t.said.most()
		if e.FailedBuild != "" {
			most = "It does not build."
			if b := g.running[testName{pkg: e.FailedBuild}]; b != nil {
				most = cmp.Or(b.said.first, most)
			}
		}
		g.fail(Failure{Package: e.Package}, most)
	}
}

func (g *GoTest) fail(f Failure, most string) {
	if len(g.seen) < maxNames {
		g.seen[f.Package] = true
	}
	f.File, f.Line, f.Said = place(most)
	if len(g.failures) < maxNames {
		g.failures = append(g.failures, f)
	}
}

func skipped(name testName, reason string) job.Notice {
	n := job.Notice{Message: name.test + " was skipped."}
	file, line, why := place(reason)
	if n.File, n.Line = file, line; why != "" {
		n.Message = name.test + " was skipped: " + why
	}
	return n
}

// place takes apart "file.go:12: text" and "file.go:12:3: text".
func place(s string) (file string, line int, text string) {
	file, rest, found := strings.Cut(s, ":")
	if !found || !strings.HasSuffix(file, ".go") {
		return "", 0, s
	}
	number, rest, found := strings.Cut(rest, ":")
	line, err := strconv.Atoi(number)
	if !found || err != nil || line < 0 {
		return "", 0, s
	}
	if column, after, ok := strings.Cut(rest, ":"); ok {
		if _, err := strconv.Atoi(column); err == nil {
			rest = after
		}
	}
	return file, line, strings.TrimSpace(rest)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
