package starter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// pages is how many pages the site's archive has: enough for a push to have
// something to count.
const pages = 120

// A commit is what is written and how it is called.
type commit struct {
	message string
	files   map[string]string
}

// commits is the history of the site; berlin has the first two.
func commits() []commit {
	archive := map[string]string{}
	for n := range pages {
		archive[fmt.Sprintf("archive/%03d.html", n+1)] = page(fmt.Sprintf("Number %d", n+1), strings.Repeat(fmt.Sprintf("<p>Line of page %d.</p>\n", n+1), n%40+5))
	}
	return []commit{
		{"Begin the site", map[string]string{"index.html": page("One button, one lamp", "<p>Hello.</p>\n"), "style.css": "body { font: 1rem/1.5 system-ui; margin: 2rem }\n"}},
		{"Say who we are", map[string]string{"about.html": page("Who we are", "<p>People who want to know whether it is done.</p>\n")}},
		{"Add the archive", archive},
		{"Link the archive", map[string]string{"index.html": page("One button, one lamp", "<p>Hello. <a href=\"archive/001.html\">The archive</a></p>\n")}},
	}
}

// page is a page of the site.
func page(title, body string) string {
	return "<!doctype html>\n<meta charset=\"utf-8\">\n<title>" + title + "</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n<h1>" + title + "</h1>\n" + body
}

// writeRepositories makes the site, its two peers, and the clone a colleague
// works in. All histories lie on one line: berlin two commits behind the site,
// oslo one commit ahead of it.
func writeRepositories(ctx context.Context, stage string) error {
	if _, err := exec.LookPath("git"); err != nil {
		return errors.New("git is not installed, and the starter has a git repository: install git, then try again")
	}
	g := git{ctx: ctx, root: stage}
	for _, peer := range []string{"berlin", "oslo"} {
		g.in(".", "init", "-q", "--template=", "--bare", "-b", "main", "peers/"+peer+".git")
	}
	g.in(".", "init", "-q", "--template=", "-b", "main", "site")
	g.identify("site", "You", "you@starter.invalid")
	for i, c := range commits() {
		g.commit("site", c)
		if i == 1 {
			g.in("site", "push", "-q", "../peers/berlin.git", "main")
		}
	}
	g.in("site", "push", "-q", "../peers/oslo.git", "main")

	g.in("peers", "clone", "-q", "--template=", "--no-hardlinks", "-o", "oslo", "oslo.git", "colleague")
	g.identify("peers/colleague", "A colleague", "colleague@starter.invalid")
	g.in("peers/colleague", "remote", "set-url", "oslo", "../oslo.git")
	g.in("peers/colleague", "remote", "add", "berlin", "../berlin.git")
	g.commit("peers/colleague", commit{"Sign the guest book", map[string]string{"guestbook.txt": "A nice site.\n"}})
	g.in("peers/colleague", "push", "-q", "oslo", "main")
	if g.err != nil {
		return fmt.Errorf("starter repositories: %w", g.err)
	}
	return nil
}

// git runs git commands until one goes wrong.
type git struct {
	ctx  context.Context //nolint:containedctx // lives as long as one call of writeRepositories
	root string
	err  error
}

// identify sets who commits, so that nobody needs a git configuration.
func (g *git) identify(repository, name, email string) {
	for _, pair := range [][2]string{{"user.name", name}, {"user.email", email}, {"commit.gpgsign", "false"}, {"core.autocrlf", "false"}} {
		g.in(repository, "config", pair[0], pair[1])
	}
}

// commit writes files and commits them.
func (g *git) commit(repository string, c commit) {
	for name, text := range c.files {
		to := filepath.Join(g.root, repository, filepath.FromSlash(name))
		if g.err == nil {
			g.err = os.MkdirAll(filepath.Dir(to), 0o755)
		}
		if g.err == nil {
			g.err = os.WriteFile(to, []byte(text), 0o644)
		}
	}
	g.in(repository, "add", ".")
	g.in(repository, "commit", "-q", "-m", c.message)
}

// in runs git in a folder, without anybody's configuration, hooks or prompts.
func (g *git) in(folder string, args ...string) {
	if g.err != nil {
		return
	}
	cmd := exec.CommandContext(g.ctx, "git", args...)
	cmd.Dir = filepath.Join(g.root, folder)
	for _, pair := range cmd.Environ() {
		if !strings.HasPrefix(pair, "GIT_") {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	cmd.Env = append(cmd.Env, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	if said, err := cmd.CombinedOutput(); err != nil {
		g.err = fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(string(said)))
	}
}
