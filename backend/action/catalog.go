package action

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Catalog is what may run here, as one file says it: a snapshot that never
// changes. Its zero value has no actions.
type Catalog struct {
	Practice *Practice // nil when the file has none

	actions []*Action
	byID    map[string]*Action
}

// Practice is a local service to try connection tests on.
type Practice struct {
	Listen string // a loopback address with a port
	Key    string
}

// Actions lists the actions in the order of the file.
func (c *Catalog) Actions() []*Action { return slices.Clone(c.actions) }

// Action finds an action.
func (c *Catalog) Action(id string) (*Action, bool) {
	a, ok := c.byID[id]
	return a, ok
}

// Nearest is the id of the action a person most likely meant, or "".
func (c *Catalog) Nearest(id string) string {
	ids := make([]string, len(c.actions))
	for i, a := range c.actions {
		ids[i] = a.ID
	}
	return nearest(id, ids)
}

// Load reads a catalog file. It returns *[Faults] with everything that is
// wrong with what it holds, and another error when it cannot be read at all.
// Relative paths in the file are taken from the folder it is in.
func Load(path string) (*Catalog, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	return Parse(path, data)
}

// Parse reads a catalog from the text of a file. path says where that text
// belongs: relative paths are taken from its folder, and faults name it.
func Parse(path string, data []byte) (*Catalog, error) {
	faults := &Faults{File: path}
	top := &node{line: 1, column: 1}
	if len(data) > maxFile {
		faults.add(&node{}, "", "The file is larger than %d KiB.", maxFile>>10)
		return nil, faults
	}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("catalog folder: %w", err)
	}
	root := readNodes(string(data), faults)
	if root == nil {
		return nil, faults.err()
	}
	if root.form != mapForm {
		faults.add(top, `It begins with "actions:".`, "A catalog is a mapping, not %s.", root.form)
		return nil, faults.err()
	}
	root = checker{faults}.check(root, language(), "the catalog")
	b := builder{folder: folder, faults: faults}
	c := b.catalog(root)
	if err := faults.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// absentError is that there is no catalog file. It says so once, where the
// system's own words would say it a second time.
type absentError struct{ path string }

func (e *absentError) Error() string { return "there is no file " + e.path }
func (e *absentError) Unwrap() error { return fs.ErrNotExist }

// Hint says what a person can do.
func (e *absentError) Hint() string {
	return "Write one to start from with telltale init, or name another with --config."
}

// readFile reads a plain file that is not too large to be a catalog. A pipe or
// a device would block whoever opens it.
func readFile(path string) (data []byte, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &absentError{path}
	case err != nil:
		return nil, fmt.Errorf("look at file: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open file: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	data, err = io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	}
	return data, nil
}
