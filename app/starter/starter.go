// Package starter writes the folder a person begins with: a catalog whose every
// action really does its work, without a network. There is a git repository
// with two peers, a small test suite, a few scripts and one stored key. What
// stands in content is written as it is; a name that ends in .txt loses that
// ending, which keeps the Go tool away from Go files that are not ours.
package starter

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"telltale/backend/action"
)

//go:embed content
var content embed.FS

// catalogName is the file that makes the folder a starter; it is moved in last.
const catalogName = "telltale.yaml"

// Write makes a starter in dir, which may exist, and needs git. It overwrites
// nothing: when one of its files is there already the error is [fs.ErrExist]
// and dir is as it was. Everything is made in a folder of its own first, so
// that a starter is there in full or not at all.
func Write(ctx context.Context, dir string) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("starter folder: %w", err)
	}
	stage, err := os.MkdirTemp(dir, ".starter-")
	if err != nil {
		return fmt.Errorf("starter folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()
	if err := writeFiles(stage); err != nil {
		return err
	}
	if err := free(stage, dir); err != nil { // before the slow part
		return err
	}
	if err := writeRepositories(ctx, stage); err != nil {
		return err
	}
	return moveIn(stage, dir)
}

// writeFiles writes what stands in content, and the schema of the catalog.
func writeFiles(stage string) error {
	err := fs.WalkDir(content, "content", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(stage, filepath.FromSlash(strings.TrimSuffix(strings.TrimPrefix(name, "content"), ".txt")))
		if entry.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		text, err := content.ReadFile(name)
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if path.Base(name) == "secrets.env" {
			mode = 0o600
		}
		return os.WriteFile(to, text, mode)
	})
	if err != nil {
		return fmt.Errorf("starter files: %w", err)
	}
	schema, err := action.Schema()
	if err != nil {
		return fmt.Errorf("starter files: %w", err)
	}
	if err := os.WriteFile(filepath.Join(stage, "telltale.schema.json"), schema, 0o644); err != nil {
		return fmt.Errorf("starter files: %w", err)
	}
	return nil
}

// free checks that nothing of the starter is in dir yet.
func free(stage, dir string) error {
	entries, err := os.ReadDir(stage)
	if err != nil {
		return fmt.Errorf("starter files: %w", err)
	}
	names := []string{"site", "peers"}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	for _, name := range names {
		switch _, err := os.Lstat(filepath.Join(dir, name)); {
		case err == nil:
			return fmt.Errorf("%s is there already, and init overwrites nothing: %w", filepath.Join(dir, name), fs.ErrExist)
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("starter folder: %w", err)
		}
	}
	return nil
}

// moveIn moves everything from the stage to its place, the catalog last.
func moveIn(stage, dir string) error {
	entries, err := os.ReadDir(stage)
	if err != nil {
		return fmt.Errorf("starter files: %w", err)
	}
	for _, entry := range entries {
		if entry.Name() == catalogName {
			continue
		}
		if err := os.Rename(filepath.Join(stage, entry.Name()), filepath.Join(dir, entry.Name())); err != nil {
			return fmt.Errorf("starter files: %w", err)
		}
	}
	if err := os.Rename(filepath.Join(stage, catalogName), filepath.Join(dir, catalogName)); err != nil {
		return fmt.Errorf("starter files: %w", err)
	}
	return nil
}
