package output

import (
	"strconv"
	"strings"
)

// GitProgress is one line of git's --progress.
type GitProgress struct {
	Phase   string // "Writing objects"
	Remote  bool   // the peer says so ("remote: ...")
	Percent int    // 0 to 100, or -1 when git counts without knowing how many
	Done    int64
	Total   int64 // 0 when unknown
	Ended   bool  // "..., done."
}

// ReadGitProgress reads a line such as
//
//	remote: Compressing objects:  50% (1/2)
//	Receiving objects: 100% (9/9), 1.02 MiB | 3.00 MiB/s, done.
//	Enumerating objects: 12, done.
func ReadGitProgress(line string) (GitProgress, bool) {
	line = strings.TrimSpace(stripColour(line))
	p := GitProgress{Percent: -1}
	line, p.Remote = strings.CutPrefix(line, "remote: ")
	phase, rest, found := strings.Cut(line, ": ")
	if !found || phase == "" || len(phase) > 64 || strings.ContainsAny(phase, `:/'"`) {
		return GitProgress{}, false
	}
	p.Phase = phase
	rest, p.Ended = strings.CutSuffix(strings.TrimSpace(rest), ", done.")
	percent, counts, found := strings.Cut(rest, "% (")
	if !found {
		n, err := strconv.ParseUint(rest, 10, 53)
		p.Done = int64(n)
		return p, err == nil
	}
	done, total, found := strings.Cut(counts, "/")
	total, _, closed := strings.Cut(total, ")")
	if !found || !closed {
		return GitProgress{}, false
	}
	n, err1 := strconv.ParseUint(strings.TrimSpace(percent), 10, 7)
	d, err2 := strconv.ParseUint(done, 10, 53)
	t, err3 := strconv.ParseUint(total, 10, 53)
	p.Percent, p.Done, p.Total = int(n), int64(d), int64(t)
	return p, err1 == nil && err2 == nil && err3 == nil && n <= 100
}

// GitRef is one line of git push --porcelain: what became of a ref.
type GitRef struct {
	Flag   GitFlag
	From   string // "refs/heads/main"
	To     string
	Range  string // "1a2b3c4..5d6e7f8" when the ref moved; else "[new branch]", "[up to date]", "[rejected]", ...
	Reason string // "fetch first", "pre-receive hook declined"; "" when git gives none
}

// GitFlag is the first character of a porcelain line.
type GitFlag byte

// What became of a pushed ref.
const (
	GitMoved    GitFlag = ' ' // fast-forwarded
	GitForced   GitFlag = '+'
	GitDeleted  GitFlag = '-'
	GitCreated  GitFlag = '*'
	GitRejected GitFlag = '!'
	GitUpToDate GitFlag = '='
)

// ReadGitRef reads a line of git push --porcelain on stdout.
func ReadGitRef(line string) (GitRef, bool) {
	flag, rest, found := strings.Cut(line, "\t")
	if !found || len(flag) != 1 || !strings.Contains(" +-*!=", flag) {
		return GitRef{}, false
	}
	refs, summary, found := strings.Cut(rest, "\t")
	from, to, hasColon := strings.Cut(refs, ":")
	if !found || !hasColon {
		return GitRef{}, false
	}
	r := GitRef{Flag: GitFlag(flag[0]), From: from, To: to, Range: summary}
	if open := strings.Index(summary, " ("); open > 0 && strings.HasSuffix(summary, ")") {
		r.Range, r.Reason = summary[:open], summary[open+2:len(summary)-1]
	}
	return r, true
}
