package action

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// git builds a push or pull.
func (b builder) git(a *Action, n *node) *Git {
	g := &Git{
		Operation:     GitOperation(n.get("operation").string()),
		Branch:        or(n.get("branch").string(), "main"),
		AllowUnsigned: or(strings.ToLower(n.get("allow_unsigned").string()), "true"),
	}
	if at := n.get("repository"); at != nil {
		g.Repository = b.absolute(at)
	}
	if at := n.get("remote"); at != nil {
		g.Remote = b.remote(a, at)
	}
	if at := n.get("branch"); at != nil {
		b.every(a, at, b.template(a, at, useClosed), branchFault)
	}
	if at := n.get("allow_unsigned"); at != nil && at.form == stringForm {
		g.AllowUnsigned = at.text
		b.choice(a, at)
	}
	return g
}

// choice checks a template that must come out as true or false.
func (b builder) choice(a *Action, n *node) {
	parsed := b.template(a, n, usePublic)
	if parsed == nil {
		return
	}
	places := parsed.places()
	if len(places) == 1 && n.text == strings.TrimSpace(n.text) && parsed[0].Text == "" && parsed[1].Text == "" {
		for _, p := range a.Params {
			if places[0] == (place{Root: "params", Name: p.Name}) && p.Type == BooleanParam {
				return
			}
		}
	}
	b.faults.add(n, "", `"allow_unsigned" must be true, false or {{params.name}} of a boolean.`)
}

// every checks each result a template can have; check returns what is wrong
// with one.
func (b builder) every(a *Action, n *node, t template, check func(string) (fault, hint string)) {
	if t == nil {
		return
	}
	all := a.fillings(t)
	if all == nil {
		b.faults.add(n, "", "There are more than %d ways to fill this in.", maxFillings)
	}
	for _, f := range all {
		if fault, hint := check(f.text); fault != "" {
			if n.text != f.text && !strings.Contains(f.text, "@") { // an address may hold a password
				fault = fmt.Sprintf("%s: %q", fault, clip(f.text, 100))
			}
			b.faults.add(n, hint, "%s.", fault)
			return
		}
	}
}

// remote checks where a repository's peer is, for every target, and makes
// local paths absolute: in the template where it begins with the path, in the
// target's value where it begins with a placeholder.
func (b builder) remote(a *Action, n *node) string {
	parsed := b.template(a, n, useTargets)
	if parsed == nil {
		return n.text
	}
	b.every(a, n, parsed, remoteFault)
	if lead := parsed[0].Text; len(parsed) == 1 && isLocalPath(lead) {
		if !filepath.IsAbs(lead) {
			lead = filepath.Join(b.folder, lead)
		}
		return literal(filepath.Clean(lead))
	}
	if lead := parsed[0].Text; isLocalPath(lead) {
		if filepath.IsAbs(lead) {
			return n.text
		}
		return literal(b.folder+"/") + n.text
	}
	if parsed[0].Text != "" || parsed[0].Place == nil {
		return n.text
	}
	name := parsed[0].Place.Name
	for i := range a.Targets {
		if t := &a.Targets[i]; isLocalPath(t.Values[name]) && !filepath.IsAbs(t.Values[name]) {
			t.Values[name] = filepath.Join(b.folder, t.Values[name])
		}
	}
	return n.text
}

// isLocalPath reports whether a remote is a path; a bare word would be a name
// in the repository's own configuration, which can say anything.
func isLocalPath(s string) bool {
	return strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../") || strings.HasPrefix(s, "/") || filepath.IsAbs(s)
}

// remoteFault says what is wrong with the address of a peer. Git can be made
// to run programs by an address (ext::, an option in place of a host), and a
// credential in one ends in logs and process lists.
func remoteFault(remote string) (fault, hint string) {
	const kinds = "Write https://host/path, ssh://user@host/path, user@host:path, or a path that begins with ./, ../ or /."
	transport, _, helped := strings.Cut(remote, "::")
	switch {
	case strings.ContainsFunc(remote, isInvisible) || strings.TrimSpace(remote) != remote || remote == "":
		return "This is not the address of a git repository", kinds
	case strings.HasPrefix(remote, "//") || strings.HasPrefix(remote, `\`):
		return "A path on another machine cannot be a peer", kinds
	case isLocalPath(remote):
		return "", ""
	case strings.HasPrefix(remote, "-"):
		return `The address of a git repository cannot begin with "-"`, kinds
	case helped && !strings.Contains(transport, "/"):
		return "Remote helpers such as ext:: run programs and are refused", kinds
	case strings.Contains(remote, "://"):
		return remoteURLFault(remote)
	case !isSCPLike(remote):
		return "This is not the address of a git repository", kinds
	}
	return "", ""
}

// remoteURLFault says what is wrong with a URL of a repository.
func remoteURLFault(remote string) (fault, hint string) {
	u, err := url.Parse(remote)
	if err != nil {
		return "This is not the address of a git repository", ""
	}
	switch host := u.Hostname(); {
	case u.Scheme == "file":
		return "file:// is refused", "Write the path itself."
	case u.Scheme == "http" && isLoopbackHost(host):
	case u.Scheme != "https" && u.Scheme != "ssh":
		return "A peer is reached by https:// or ssh://", "Plain http:// is for this machine only."
	case host == "" || strings.HasPrefix(host, "-"):
		return "This address has no host", ""
	}
	_, password := u.User.Password()
	switch {
	case password || u.User != nil && u.Scheme != "ssh":
		return "A name or password in an address ends in logs and process lists", "Leave it out; git asks its credential helper."
	case u.User != nil && (u.User.Username() == "" || strings.HasPrefix(u.User.Username(), "-")):
		return `The user in an address cannot begin with "-"`, ""
	case u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(remote, " \\"):
		return "This is not the address of a git repository", ""
	}
	return "", ""
}

// isSCPLike reports user@host:path, as ssh and git write it; a host of one
// letter needs its user, since "c:path" is a drive.
func isSCPLike(remote string) bool {
	host, path, found := strings.Cut(remote, ":")
	user, name, named := strings.Cut(host, "@")
	if !named {
		user, name = "git", host
	}
	if !found || path == "" || path[0] == '-' || strings.ContainsAny(remote, " \\") || !named && len(name) < 2 {
		return false
	}
	return isHostWord(user) && isHostWord(name)
}

// isHostWord reports letters, digits, ".", "_" and "-", not beginning with "-"
// or ".".
func isHostWord(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return s != "" && s[0] != '-' && s[0] != '.'
}

// branchFault holds a branch to the rules of git check-ref-format.
func branchFault(branch string) (fault, hint string) {
	const said = "This cannot be the name of a branch"
	if branch == "" || branch == "@" || branch == "HEAD" || strings.HasPrefix(branch, "-") || strings.HasSuffix(branch, ".") ||
		strings.HasPrefix(branch, "refs/") {
		return said, ""
	}
	for _, bad := range []string{"..", "@{", "~", "^", ":", "?", "*", "[", `\`, " ", "+"} {
		if strings.Contains(branch, bad) {
			return said, ""
		}
	}
	for part := range strings.SplitSeq(branch, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return said, ""
		}
	}
	if strings.ContainsFunc(branch, isInvisible) {
		return said, ""
	}
	return "", ""
}

// api builds a connection test.
func (b builder) api(a *Action, n *node) *API {
	c := &API{
		Protocol: Protocol(n.get("protocol").string()),
		BaseURL:  strings.TrimRight(n.get("base_url").string(), "/"),
		Key:      Key{Secret: n.get("key").get("secret").string(), Param: n.get("key").get("param").string()},
		Model:    n.get("model").string(),
	}
	if at := n.get("base_url"); at != nil {
		b.every(a, at, b.template(a, at, useClosed), baseURLFault)
	}
	if at := n.get("model"); at != nil {
		b.template(a, at, usePublic)
	}
	at := n.get("key")
	if at == nil {
		return c
	}
	if c.Key == (Key{}) && len(at.lost) == 0 {
		b.faults.add(at, "", `"key" needs "secret", "param" or both.`)
	}
	if p := at.get("param"); p != nil && !b.loose && !slices.ContainsFunc(a.Params, func(known Param) bool {
		return known.Name == p.text && known.Type == SecretParam
	}) {
		b.faults.add(p, "", "There is no parameter %q of type secret.", p.text)
	}
	return c
}

// baseURLFault says what is wrong with the address of a service.
func baseURLFault(base string) (fault, hint string) {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.ContainsFunc(base, isInvisible):
		return "The address of a service begins with https:// or http://", ""
	case u.User != nil:
		return "A name or password in an address ends in logs", `Store it as a secret and name it under "key".`
	case u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(base, " \\?#"):
		return "The address of a service has no query and no fragment", ""
	}
	return "", ""
}
