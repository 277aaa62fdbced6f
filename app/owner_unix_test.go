//go:build unix

package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/app"
)

// Not parallel: where the socket of a long path lies is told by the environment.
func TestASocketInAFolderOthersMayWriteToIsNotTrusted(t *testing.T) {
	runtime := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	cfg := place(t)
	cfg.Data = filepath.Join(filepath.Dir(cfg.Data), strings.Repeat("long", 30))
	house, client := open(t, cfg)
	if _, err := client.Version(t.Context()); err != nil {
		t.Errorf("a folder of one's own: %v", err)
	}
	if err := os.Chmod(runtime, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Connect(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), runtime) {
		t.Errorf("a guest trusts it: %v", err)
	}
	if err := house.Close(atOnce()); err != nil {
		t.Error(err)
	}
	if _, err := app.Open(t.Context(), cfg); err == nil {
		t.Error("a house opens in it")
	}
}
