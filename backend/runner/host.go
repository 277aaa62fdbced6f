package runner

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"telltale/backend/action"
)

// defaultPath is where programs are looked for when Telltale's own environment
// has no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// host is the machine commands run on: what of Telltale's own environment they
// may see, and where programs and directories are.
type host struct {
	own    map[string]string // Telltale's environment
	path   []string          // absolute directories
	kernel kernel

	buffers buffers

	mu     sync.Mutex
	places map[string]place // guarded by mu; by action id
}

// place is where an action's directory really was when it was first used.
type place struct {
	action *action.Action // a reloaded catalog has new ones
	name   string         // as the catalog says
	dir    string
}

func newHost(environ []string, most int) *host {
	h := &host{own: map[string]string{}, places: map[string]place{}, kernel: newKernel(most)}
	for _, pair := range environ {
		if name, value, found := strings.Cut(pair, "="); found && name != "" {
			h.own[name] = value
		}
	}
	for _, dir := range filepath.SplitList(cmp.Or(h.own["PATH"], defaultPath)) {
		if filepath.IsAbs(dir) {
			h.path = append(h.path, dir)
		}
	}
	return h
}

// spawnError says for people why a program was not started.
type spawnError struct{ Message, Hint string }

func (e *spawnError) Error() string { return e.Message }

// find resolves a program's name to an absolute path: a name with a slash as it
// stands, relative to dir, any other along the fixed PATH. The current
// directory is never looked in. The error is a *spawnError.
func (h *host) find(name, dir string) (string, error) {
	if name == "" || strings.ContainsRune(name, 0) {
		return "", &spawnError{"There is no program to start: its name is empty or holds a NUL byte.", "Correct the first element of the action's argv."}
	}
	if strings.ContainsRune(name, filepath.Separator) || strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return name, h.runnable(name)
	}
	var found error
	for _, d := range h.path {
		full := filepath.Join(d, name)
		err := h.runnable(full)
		if err == nil {
			return full, nil
		}
		if _, missing := os.Stat(full); missing == nil && found == nil {
			found = err
		}
		if runtime.GOOS == "windows" {
			if full, err := exec.LookPath(full); err == nil {
				return full, h.runnable(full)
			}
		}
	}
	if found != nil {
		return "", found
	}
	return "", &spawnError{
		"The program " + quoted(name) + " was not found.",
		"Install it, or give its full path in the action's argv. Looked in " + strings.Join(h.path, ", ") + ".",
	}
}

// runnable checks that the file can be started.
func (h *host) runnable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &spawnError{"The program " + quoted(path) + " does not exist.", "Correct the path in the action's argv, or put the file there."}
	case err != nil:
		return &spawnError{"The program " + quoted(path) + " cannot be reached: " + reason(err) + ".", "Check the permissions of the directories on the way to it."}
	case info.IsDir():
		return &spawnError{"The program " + quoted(path) + " is a directory.", "Correct the path in the action's argv."}
	case batchFile(runtime.GOOS, path):
		return &spawnError{"The program " + quoted(path) + " is a batch file.", "cmd.exe would read its parameters as commands; start a resolved program instead."}
	case runtime.GOOS != "windows" && info.Mode()&0o111 == 0:
		return &spawnError{"The program " + quoted(path) + " is not executable.", "Make it executable: chmod +x " + path}
	}
	return nil
}

// batchFile reports whether starting path would go through cmd.exe, which
// parses parameters again whatever quoting they have (CVE-2024-24576).
func batchFile(goos, path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return goos == "windows" && (ext == ".bat" || ext == ".cmd")
}

// directory resolves where the action works, following symbolic links. A place
// that leads elsewhere than when the action was first used is refused: whoever
// can swap a link must not choose where a command works. Loading the catalog
// anew accepts the new place. The error is a *spawnError.
func (h *host) directory(a *action.Action, dir string) (string, error) {
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", &spawnError{"The directory " + quoted(dir) + " cannot be used: " + reason(err) + ".", "Create it, or correct the directory in the catalog."}
	}
	info, err := os.Stat(resolved)
	switch {
	case err != nil:
		return "", &spawnError{"The directory " + quoted(dir) + " cannot be used: " + reason(err) + ".", "Check its permissions."}
	case !info.IsDir():
		return "", &spawnError{quoted(dir) + " is not a directory.", "Correct the directory in the catalog."}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if p, known := h.places[a.ID]; known && p.action == a && p.name == dir && p.dir != resolved {
		return "", &spawnError{
			"The directory " + quoted(dir) + " now leads to " + quoted(resolved) + "; it led to " + quoted(p.dir) + ".",
			"If that is meant, save the catalog file again; if not, find out who changed the link.",
		}
	}
	h.places[a.ID] = place{a, dir, resolved}
	return resolved, nil
}

// startFault says for people why the operating system did not start a program.
func startFault(p program, err error) *spawnError {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, missing := os.Stat(p.Path); missing == nil {
			return &spawnError{
				"The program " + quoted(p.Path) + " could not be started: something it needs does not exist.",
				"If it is a script, check the interpreter named in its first line.",
			}
		}
		return &spawnError{"The program " + quoted(p.Path) + " does not exist any more.", "Install it again, or correct the action's argv."}
	case errors.Is(err, fs.ErrPermission):
		return &spawnError{"The program " + quoted(p.Path) + " may not be started: permission denied.", "Check the permissions of the file and its directories, and that its file system allows programs."}
	case tooLong(err):
		return &spawnError{"The program " + quoted(p.Path) + " was not started: its parameters are too long.", "Shorten the values; one parameter may have about 128 KiB."}
	case malformed(err):
		return &spawnError{"The program " + quoted(p.Path) + " was not started: a parameter holds a NUL byte.", "Remove it from the values."}
	case notProgram(err):
		return &spawnError{"The file " + quoted(p.Path) + " is not a program for this machine.", "A script needs a first line such as #!/bin/sh."}
	}
	return &spawnError{"The program " + quoted(p.Path) + " could not be started: " + reason(err) + ".", "See whether the machine is out of processes, memory or open files."}
}

// reason is the innermost text of an error of the operating system.
func reason(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

func quoted(s string) string { return "“" + s + "”" }
