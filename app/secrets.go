package app

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// secretsFile lies beside the catalog: NAME=value, a line each, # for comments.
const secretsFile = "secrets.env"

// secrets looks stored secrets up in the file beside the catalog. The file is
// read at each look-up, so that a changed key counts at the next press.
type secrets struct {
	path string
	log  *slog.Logger
}

func secretsBeside(catalog string, log *slog.Logger) secrets {
	return secrets{path: filepath.Join(filepath.Dir(catalog), secretsFile), log: log}
}

// Secret implements action.Secrets. A file that others may read is not used: a
// secret that is no secret should not look like one.
func (s secrets) Secret(name string) (string, bool) {
	values, err := readSecrets(s.path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.log.Error("secrets cannot be read", slog.Any("error", err))
		}
		return "", false
	}
	v, ok := values[name]
	return v, ok && v != ""
}

func readSecrets(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if open := info.Mode().Perm() & 0o077; open != 0 && !anyModeAllowed {
		return nil, fmt.Errorf("%s may be read by others (mode %04o): chmod 600 %s", path, info.Mode().Perm(), path)
	}
	values := map[string]string{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found {
			return nil, fmt.Errorf("%s line %d: want NAME=value", path, n)
		}
		values[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return values, lines.Err()
}
