package action_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/backend/action"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestBadCatalogsSayEveryFault holds each testdata/catalog/*.bad.yaml against
// the text of its faults.
func TestBadCatalogsSayEveryFault(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/catalog/*.bad.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no bad catalogs", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			_, err := action.Load(file)
			var faults *action.Faults
			if !errors.As(err, &faults) {
				t.Fatalf("Load = %v, want *Faults", err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", faults.Error()+"\n")
		})
	}
}

// golden compares with a file under version control; -update writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; go test -update writes it):\n%s", file, diff)
	}
}

func TestAMissingFileIsSaidOnceWithWhatToDo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "telltale.yaml")
	_, err := action.Load(path)
	if err == nil || !strings.HasSuffix(err.Error(), ": there is no file "+path) || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v", err)
	}
	var hinted interface{ Hint() string }
	if !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "telltale init") {
		t.Errorf("no word of what to do: %v", err)
	}
}
