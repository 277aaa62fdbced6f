package runner

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"telltale/backend/action"
	"telltale/backend/job"
)

// The catalog refuses such addresses when it is loaded. Should one come through
// all the same, git must not run anything for it.
func TestR62_HostileAddressesRunNothing(t *testing.T) {
	t.Parallel()
	for _, op := range []action.GitOperation{action.Push, action.Pull} {
		y := gitYard(t, op)
		proof := filepath.Join(t.TempDir(), "proof")
		for _, address := range []string{
			"ext::sh -c touch% " + proof,
			"--upload-pack=touch " + proof,
			"--receive-pack=touch " + proof,
			"-utouch " + proof,
			"ssh://-oProxyCommand=touch " + proof + "/x",
			"-oProxyCommand=touch " + proof + ":x",
			"fd::17/" + proof,
		} {
			y.action.Targets[0].Values["url"] = address
			if o := y.run(); o.State != job.Failed || o.Error.Hint == "" {
				t.Errorf("%s: %+v", address, o)
			}
			if _, err := os.Stat(proof); err == nil {
				t.Fatalf("%s was run", address)
			}
		}
	}
}

func TestR63_NothingARepositoryNamesIsRun(t *testing.T) {
	t.Parallel()
	proof := filepath.Join(t.TempDir(), "proof")
	touch := "touch " + proof
	locked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(locked.Close)
	for _, op := range []action.GitOperation{action.Push, action.Pull} {
		y := gitYard(t, op)
		other := y.other()
		y.write(filepath.Join(other, ".gitattributes"), "*.txt filter=evil diff=evil merge=evil\n")
		y.commit(other, "theirs.txt", "theirs")
		y.git(other, "add", ".gitattributes")
		y.git(other, "commit", "-q", "-m", "Attributes")
		y.write(filepath.Join(other, ".gitmodules"), "[submodule \"x\"]\n\tpath = x\n\turl = --upload-pack="+touch+"\n\tupdate = !"+touch+"\n")
		y.git(other, "add", ".gitmodules")
		y.git(other, "commit", "-q", "-m", "Submodule")
		if op == action.Push {
			y.git(y.repo, "pull", "-q", "--ff-only", other, "main")
		} else {
			y.git(other, "push", "-q")
		}
		for _, hook := range []string{"pre-push", "post-merge", "post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc", "fsmonitor-watchman"} {
			y.write(filepath.Join(y.repo, ".git", "hooks", hook), "#!/bin/sh\n"+touch+"\n")
		}
		evil := filepath.Join(t.TempDir(), "evil") // where a program is asked for, not a command line
		y.write(evil, "#!/bin/sh\n"+touch+"\n")
		for name, value := range map[string]string{
			"core.fsmonitor":                    touch,
			"core.sshCommand":                   touch,
			"core.askPass":                      evil,
			"core.editor":                       touch,
			"core.pager":                        touch,
			"core.alternateRefsCommand":         touch,
			"core.gitProxy":                     touch,
			"credential.helper":                 "!" + touch,
			"gpg.program":                       evil,
			"gpg.ssh.program":                   evil,
			"filter.evil.smudge":                touch,
			"filter.evil.clean":                 touch,
			"filter.evil.process":               touch,
			"filter.evil.required":              "true",
			"diff.evil.textconv":                touch,
			"diff.evil.command":                 touch,
			"merge.evil.driver":                 touch,
			"submodule.recurse":                 "true",
			"fetch.recurseSubmodules":           "true",
			"push.gpgSign":                      "true",
			"protocol.ext.allow":                "always",
			"url.ext::" + touch + ".insteadOf":  "rewritten:",
			"remote." + y.peer + ".url":         y.peer,
			"remote." + y.peer + ".receivepack": touch,
			"remote." + y.peer + ".uploadpack":  touch,
		} {
			y.git(y.repo, "config", name, value)
		}
		if o := y.run(); o.State != job.Succeeded {
			t.Errorf("%s: %+v %+v\n%s", op, o, o.Error, y.text())
		}
		y.same()
		for _, address := range []string{"ssh://nobody@127.0.0.1:1/x.git", locked.URL + "/x.git"} {
			y.action.Targets[0].Values["url"] = address
			if o := y.run(); o.State != job.Failed || o.Error.Code == "git" {
				t.Errorf("%s to %s: %+v %+v", op, address, o, o.Error)
			}
		}
		if op == action.Push {
			y.action.Git.AllowUnsigned = "false"
			y.action.Targets[0].Values["url"] = y.peer
			y.git(y.repo, "-c", "core.hooksPath=/dev/null", "update-ref", "refs/heads/main", y.forge())
			y.wants(job.Failed, "unsigned", "")
		}
		y.action.Targets[0].Values["url"] = "rewritten:x"
		if o := y.run(); o.State != job.Failed || o.Error.Code != "bad_remote" {
			t.Errorf("%s of a rewritten address: %+v %+v", op, o, o.Error)
		}
		if _, err := os.Stat(proof); err == nil {
			t.Fatalf("%s ran something the repository names", op)
		}
	}
}

// forge makes a commit with a signature that only a program can judge.
func (y *yard) forge() string {
	y.t.Helper()
	raw := y.git(y.repo, "cat-file", "commit", "main")
	head, message, _ := strings.Cut(raw, "\n\n")
	file := filepath.Join(y.t.TempDir(), "commit")
	y.write(file, head+"\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n"+message+"\n")
	return y.git(y.repo, "hash-object", "-t", "commit", "-w", file)
}

func TestARepositoryWhoseFilesAreElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	y := gitYard(t, action.Pull)
	y.git(y.repo, "config", "core.worktree", t.TempDir())
	y.wants(job.Failed, "not_a_repository", "")
}

func TestR64_AskedForAPasswordGitFailsFast(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	for _, op := range []action.GitOperation{action.Push, action.Pull} {
		y := gitYard(t, op)
		y.commit(y.repo, "a.txt", "two")
		y.action.Targets[0].Values["url"] = server.URL + "/x.git"
		before := time.Now()
		y.wants(job.Failed, "unauthorized", "berlin refused the credentials")
		if took := time.Since(before); took > 30*time.Second {
			t.Errorf("%s took %v", op, took)
		}
	}
	if asked.Load() == 0 {
		t.Error("the server was never asked")
	}
}

func TestStoredCredentialsOfTheRepositoryAreUsed(t *testing.T) {
	t.Parallel()
	var got atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, ok := r.BasicAuth(); ok {
			got.Store(password)
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	y := gitYard(t, action.Push)
	home := t.TempDir()
	y.write(filepath.Join(home, ".git-credentials"), strings.Replace(server.URL, "://", "://ada:stored-password@", 1)+"\n")
	y.runners.host.own["HOME"] = home
	y.git(y.repo, "config", "credential.helper", "store")
	y.action.Targets[0].Values["url"] = server.URL + "/x.git"
	y.wants(job.Failed, "unauthorized", "")
	if got.Load() != "stored-password" {
		t.Errorf("the server saw %v", got.Load())
	}
	if strings.Contains(y.text(), "stored-password") {
		t.Error("the password is in the log")
	}
}

func TestR65_TwoPullsInOneRepositoryRunOneAfterTheOther(t *testing.T) {
	t.Parallel()
	y := gitYard(t, action.Pull)
	ctx, cancel := context.WithCancelCause(t.Context())
	unlock, err := y.runners.kinds["git"].(*git).locks.lock(ctx, filepath.Join(y.repo, ".git"), func() {})
	if err != nil {
		t.Fatal(err)
	}
	stop := y.start()
	for waiting := false; !waiting; {
		y.mu.Lock()
		changed := y.changed
		waiting = strings.Contains(strings.Join(y.phases, ","), "Waiting for another run")
		y.mu.Unlock()
		if !waiting {
			<-changed
		}
	}
	if strings.Contains(y.text(), "git fetch") {
		t.Error("the second began before the first ended")
	}
	canceled(t, stop) // also while it waits
	cancel(nil)
	unlock()

	done := make(chan job.Outcome, 4)
	for range cap(done) {
		task := y.task()
		task.Job = setup(t).id
		go func() { done <- y.runners.Run(t.Context(), task, newWatch()) }()
	}
	for range cap(done) {
		if o := <-done; o.State != job.Succeeded {
			t.Errorf("%+v %+v", o, o.Error)
		}
	}
}

func TestR66_StoppedPullLeavesAUsableRepository(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(held)
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	y := gitYard(t, action.Pull)
	y.action.Targets[0].Values["url"] = server.URL + "/x.git"
	stop := y.start()
	<-held
	if o := stop(ErrTimeout); o.State != job.Failed || o.Error.Code != "timeout" {
		t.Errorf("%+v %+v", o, o.Error)
	}
	if status := y.git(y.repo, "status", "--porcelain"); status != "" {
		t.Errorf("status %q", status)
	}
	y.git(y.repo, "fsck", "--strict")
	if locks, _ := filepath.Glob(filepath.Join(y.repo, ".git", "*.lock")); len(locks) > 0 {
		t.Errorf("locks %q", locks)
	}
	y.action.Targets[0].Values["url"] = y.peer
	y.wants(job.Succeeded, "", "Nothing to do")
}

// A stop while files are being written comes after the last file.
func TestR66_StopDuringTheUpdateOfFilesLetsItFinish(t *testing.T) {
	t.Parallel()
	y := gitYard(t, action.Pull)
	y.action.Grace = time.Minute
	other := y.other()
	for i := range 3 {
		y.commit(other, strings.Repeat("x", i+1)+".txt", "theirs")
	}
	y.git(other, "push", "-q")
	ctx, cancel := context.WithCancelCause(t.Context())
	w := &stopper{watch: newWatch(), at: "Updating files", stop: func() { cancel(ErrCanceled) }}
	o := y.runners.Run(ctx, y.task(), w)
	if o.State != job.Succeeded || !strings.Contains(o.Summary, "3 commits pulled") {
		t.Errorf("%+v %+v", o, o.Error)
	}
	y.same()
	if status := y.git(y.repo, "status", "--porcelain"); status != "" {
		t.Errorf("status %q", status)
	}
}

// stopper stops the run when it enters a phase.
type stopper struct {
	*watch
	at   string
	stop func()
}

func (s *stopper) Phase(name string) {
	if s.watch.Phase(name); name == s.at {
		s.stop()
	}
}

func TestUnsignedCommitsMoveOnlyWhenAllowed(t *testing.T) {
	t.Parallel()
	for _, op := range []action.GitOperation{action.Push, action.Pull} {
		y := gitYard(t, op)
		y.action.Params = []action.Param{{Name: "allow_unsigned", Type: action.BooleanParam, Default: false}}
		y.action.Git.AllowUnsigned = "{{params.allow_unsigned}}"
		from := y.repo
		if op == action.Pull {
			from = y.other()
		}
		y.commit(from, "a.txt", "two")
		y.commit(from, "b.txt", "three")
		if op == action.Pull {
			y.git(from, "push", "-q")
		}
		y.wants(job.Failed, "unsigned", "2 commits without a signature")
		y.params = map[string]any{"allow_unsigned": true}
		y.wants(job.Succeeded, "", "2 commits")
		y.params = nil
		y.wants(job.Succeeded, "", "Nothing to do")
	}
}

func TestSignedCommitsMoveWhenTheKeyIsTrusted(t *testing.T) {
	t.Parallel()
	y := gitYard(t, action.Push)
	y.action.Git.AllowUnsigned = "false"
	key := filepath.Join(t.TempDir(), "key")
	y.keygen(key)
	y.git(y.repo, "config", "gpg.format", "ssh")
	y.git(y.repo, "config", "user.signingKey", key)
	y.commit(y.repo, "a.txt", "two", "-S")
	y.wants(job.Failed, "unsigned", "1 commit without a signature that can be trusted")
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	y.write(key+".allowed", "ada@example.org "+string(public))
	y.git(y.repo, "config", "gpg.ssh.allowedSignersFile", key+".allowed")
	y.wants(job.Succeeded, "", "1 commit pushed")
}
