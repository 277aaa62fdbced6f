package api

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the reference instead of comparing it")

func reference(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("..", "..", "docs", "reference", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/reference/%s is out of date, run go test ./backend/api -update (-file +code):\n%s", name, diff)
	}
}

func TestReferenceIsTheCode(t *testing.T) {
	t.Parallel()
	spec, err := Spec()
	if err != nil {
		t.Fatal(err)
	}
	reference(t, "openapi.json", spec)
	text, err := Reference()
	if err != nil {
		t.Fatal(err)
	}
	reference(t, "http.md", []byte(text))
}
