package main

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// law is one rule of the house: what it says, and what in a tree breaks it.
type law struct {
	name  string
	check func(t *tree) []string
}

// laws is the house. A law without a broken example under testdata/house is
// itself a fault, because a check nobody saw fail checks nothing.
func laws() []law {
	return []law{
		{"imports-point-down", importsPointDown},
		{"vendors-have-one-door", vendorsHaveOneDoor},
		{"packages-say-what-they-are", packagesSayWhatTheyAre},
		{"packages-have-a-meaning", packagesHaveAMeaning},
		{"files-are-short", filesAreShort},
		{"tests-do-not-sleep", testsDoNotSleep},
		{"jobtest-stays-in-tests", jobtestStaysInTests},
		{"one-place-appends", onePlaceAppends},
		{"one-place-publishes", onePlacePublishes},
		{"decisions-have-a-status", decisionsHaveAStatus},
		{"versions-are-pinned", versionsArePinned},
		{"links-are-alive", linksAreAlive},
	}
}

func TestTheHouseKeepsItsLaws(t *testing.T) {
	t.Parallel()
	house, err := readTree(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range laws() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			for _, fault := range l.check(house) {
				t.Error(fault)
			}
		})
	}
}

// Each archive in testdata/house is a small tree that breaks the law it is
// named after (what follows a dot in the name tells examples apart). The
// comment of the archive is what the law must say about it, line by line.
func TestEveryLawWasSeenBroken(t *testing.T) {
	t.Parallel()
	examples, err := fs.Glob(os.DirFS("testdata/house"), "*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range laws() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			seen := 0
			for _, name := range examples {
				if base, _, _ := strings.Cut(name, "."); base == l.name {
					seen++
					breakLaw(t, l, path.Join("testdata/house", name))
				}
			}
			if seen == 0 {
				t.Errorf("no testdata/house/%s.txtar shows a tree that breaks this law", l.name)
			}
		})
	}
}

func breakLaw(t *testing.T, l law, file string) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, f := range archive.Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	broken, err := readTree(files)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	want := strings.Split(strings.TrimSpace(string(archive.Comment)), "\n")
	got := l.check(broken)
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}
