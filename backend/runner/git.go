package runner

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"telltale/backend/action"
	"telltale/backend/job"
)

// git carries out pushes and pulls with the system's git.
//
// It never asks anybody anything, never forces, never merges: a pull moves a
// branch forward or leaves it alone. Nothing the repository's own configuration
// names is run: no hook, file system monitor, filter, merge driver, ssh command
// or credential helper beyond git's own. The user's and the system's
// configuration are not read. Runs in one repository come one after the other.
type git struct {
	base
	locks *locks
}

// Run implements Runner.
func (g *git) Run(ctx context.Context, t Task, w Watcher) job.Outcome {
	h := newGitHearing(t.Action.Git.Operation)
	v := g.voice(w, t.Bound.SecretValues(), h)
	defer v.close()
	path, err := g.host.find("git", "")
	if err != nil {
		return failedSpawn(v, err)
	}
	dir, err := g.host.directory(t.Action, t.Action.Git.Repository)
	if err != nil {
		return failedSpawn(v, err)
	}
	r := &gitRun{
		git: g, task: t, voice: v, heard: h, path: path, dir: dir,
		remote:   t.Bound.Fill(t.Action.Git.Remote),
		branch:   t.Bound.Fill(t.Action.Git.Branch),
		peer:     cmp.Or(t.Bound.Target.Title, t.Bound.Target.ID, "the peer"),
		unsigned: t.Bound.Fill(t.Action.Git.AllowUnsigned) != "false",
	}
	r.env = g.environment(t)
	o, err := r.run(ctx)
	var fault *faultError
	var stopped *stoppedError
	var start *startError
	switch {
	case err == nil:
		return o
	case errors.As(err, &stopped):
		return unended(Stopped(context.Cause(ctx), t.Action.Timeout), stopped.survivors)
	case errors.As(err, &fault):
		e := job.Error(*fault)
		v.mu.Lock()
		e.Message, e.Hint = v.plain(e.Message, maxSaid), v.plain(e.Hint, maxSaid)
		v.mu.Unlock()
		return job.Outcome{State: job.Failed, Summary: e.Message, Error: &e}
	case errors.As(err, &start):
		return failedSpawn(v, startFault(program{Path: path}, start.err))
	}
	return failedSpawn(v, err)
}

// environment makes git speak English, ask nobody, and read no configuration
// but the repository's. GIT_ALLOW_PROTOCOL overrules whatever that says about
// protocols: ext:: would run a command.
func (g *git) environment(t Task) []string {
	env := g.host.base()
	if agent, found := g.host.own["SSH_AUTH_SOCK"]; found {
		env["SSH_AUTH_SOCK"] = agent
	}
	maps.Copy(env, map[string]string{
		"GIT_TERMINAL_PROMPT": "0",
		"GIT_ASKPASS":         "true",
		"SSH_ASKPASS":         "false",
		"SSH_ASKPASS_REQUIRE": "never",
		"GIT_SSH_COMMAND":     "ssh -oBatchMode=yes -oConnectTimeout=20 -oNumberOfPasswordPrompts=0",
		"GIT_SSH_VARIANT":     "ssh",
		"GIT_CONFIG_NOSYSTEM": "1",
		"GIT_CONFIG_GLOBAL":   os.DevNull,
		"GIT_ATTR_NOSYSTEM":   "1",
		"GIT_ALLOW_PROTOCOL":  "file:http:https:ssh",
		"GIT_EDITOR":          "true",
		"GIT_PAGER":           "cat",
		"GIT_MERGE_AUTOEDIT":  "no",
		"GIT_NO_LAZY_FETCH":   "1",
		"GIT_ADVICE":          "0",
		"GIT_PROGRESS_DELAY":  "0",
	})
	mark(env, t)
	return pairs(env)
}

// settings overrule what the repository's configuration says.
func settings() []string {
	var all []string
	for _, s := range []string{
		"core.hooksPath=" + os.DevNull, "core.fsmonitor=false", "core.alternateRefsCommand=",
		"core.attributesFile=" + os.DevNull,
		"submodule.recurse=false", "fetch.recurseSubmodules=false", "push.recurseSubmodules=no",
		"protocol.ext.allow=never",
		"gpg.program=gpg", "gpg.openpgp.program=gpg", "gpg.x509.program=gpgsm", "gpg.ssh.program=ssh-keygen",
		"gc.auto=0", "maintenance.auto=false",
		"http.lowSpeedLimit=1", "http.lowSpeedTime=120",
		"advice.pushUpdateRejected=false",
	} {
		all = append(all, "-c", s)
	}
	return all
}

// gitRun is one push or pull.
type gitRun struct {
	*git
	task     Task
	voice    *voice
	heard    *gitHearing
	path     string
	dir      string
	env      []string
	config   []string // -c arguments
	remote   string
	branch   string
	peer     string
	unsigned bool // unsigned commits may move
}

func (r *gitRun) run(ctx context.Context) (job.Outcome, error) {
	r.config = settings()
	if err := r.open(ctx); err != nil {
		return job.Outcome{}, err
	}
	common, err := r.ask(ctx, "rev-parse", "--git-common-dir")
	if err != nil {
		return job.Outcome{}, err
	}
	if !filepath.IsAbs(common) {
		common = filepath.Join(r.dir, common)
	}
	unlock, err := r.locks.lock(ctx, common, func() { r.enter("Waiting for another run in this repository") })
	if err != nil {
		return job.Outcome{}, &stoppedError{}
	}
	defer unlock()
	if r.task.Action.Git.Operation == action.Push {
		return r.push(ctx)
	}
	return r.pull(ctx)
}

// open checks that the directory is a repository of its own, and takes the
// sting out of its configuration.
func (r *gitRun) open(ctx context.Context) error {
	bare, err := r.ask(ctx, "rev-parse", "--is-bare-repository")
	if err != nil {
		return r.notRepository(err)
	}
	if bare != "true" {
		// A repository may say that its files are somewhere else entirely.
		top, err := r.ask(ctx, "rev-parse", "--show-toplevel")
		if err != nil {
			return r.notRepository(err)
		}
		if rel, err := filepath.Rel(top, r.dir); err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return &faultError{
				Code:    "not_a_repository",
				Message: "The repository in " + quoted(r.dir) + " keeps its files elsewhere (" + top + ").",
				Hint:    "Remove core.worktree from its configuration, or name that directory in the catalog.",
			}
		}
	}
	names, err := r.ask(ctx, "config", "--list", "-z", "--name-only")
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(names, "\x00") {
		// A filter is a command that runs when files are written.
		if driver, found := strings.CutPrefix(name, "filter."); found {
			if i := strings.LastIndexByte(driver, '.'); i > 0 && !strings.ContainsAny(driver, "=\n") {
				for _, key := range []string{"smudge=", "clean=", "process=", "required=false"} {
					r.config = append(r.config, "-c", "filter."+driver[:i]+"."+key)
				}
			}
		}
	}
	return r.ownHelpers(ctx)
}

// ownHelpers lets the repository use git's own credential helpers, which read
// what somebody stored on this machine; others would be commands to run.
func (r *gitRun) ownHelpers(ctx context.Context) error {
	all, err := r.ask(ctx, "config", "--get-all", "credential.helper")
	var failed *gitError
	if err != nil && !errors.As(err, &failed) { // a bad status means that none is set
		return err
	}
	r.config = append(r.config, "-c", "credential.helper=")
	for helper := range strings.SplitSeq(all, "\n") {
		if helper == "store" || helper == "cache" {
			r.config = append(r.config, "-c", "credential.helper="+helper)
		}
	}
	return nil
}

func (r *gitRun) notRepository(err error) error {
	var failed *gitError
	if !errors.As(err, &failed) {
		return err
	}
	if strings.Contains(failed.text(), "dubious ownership") {
		return foreignOwner(r.dir)
	}
	return &faultError{
		Code:    "not_a_repository",
		Message: quoted(r.dir) + " is not a git repository.",
		Hint:    "Correct the repository's path in the catalog, or create it with git init or git clone.",
	}
}

func foreignOwner(dir string) *faultError {
	return &faultError{
		Code:    "foreign_owner",
		Message: "The repository in " + quoted(dir) + " belongs to another user.",
		Hint:    "Run Telltale as its owner, or change the owner: git does not work in other people's repositories.",
	}
}

// enter names the phase.
func (r *gitRun) enter(phase string) {
	r.voice.mu.Lock()
	defer r.voice.mu.Unlock()
	r.voice.enter(phase)
}

// locks makes runs in one repository come one after the other.
type locks struct {
	turn chan map[string]chan struct{} // holds the map of taken repositories
}

func newLocks() *locks {
	l := &locks{turn: make(chan map[string]chan struct{}, 1)}
	l.turn <- map[string]chan struct{}{}
	return l
}

// lock waits until nobody holds key, calling waiting first when somebody does,
// and returns what gives it up; or ctx's error.
func (l *locks) lock(ctx context.Context, key string, waiting func()) (unlock func(), err error) {
	if resolved, err := filepath.EvalSymlinks(key); err == nil {
		key = resolved
	}
	for told := false; ; {
		taken := <-l.turn
		busy, found := taken[key]
		if !found {
			free := make(chan struct{})
			taken[key] = free
			l.turn <- taken
			return func() {
				taken := <-l.turn
				delete(taken, key)
				l.turn <- taken
				close(free)
			}, nil
		}
		l.turn <- taken
		if !told {
			waiting()
			told = true
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// reprieve is a context that ends a while after ctx does, for a step that must
// not be cut short if it can help it.
func reprieve(ctx context.Context, while time.Duration) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(while, func() { cancel(context.Cause(ctx)) })
	})
	return later, func() { stop(); cancel(nil) }
}
