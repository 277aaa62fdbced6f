package main

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// decisionsHaveAStatus: every record of a decision has a number of its own,
// a known status and the four parts.
func decisionsHaveAStatus(t *tree) []string {
	var (
		named    = regexp.MustCompile(`^(\d{4})-[a-z0-9-]+\.md$`)
		status   = regexp.MustCompile(`(?m)^Status: (.*)$`)
		known    = regexp.MustCompile(`^(proposed|accepted|rejected|superseded by \d{4})$`)
		sections = []string{"## Context", "## Decision", "## Consequences", "## Alternatives refused"}
		faults   []string
		next     = 1
	)
	for _, page := range t.pages {
		if path.Dir(page) != "docs/adr" || path.Base(page) == "README.md" {
			continue
		}
		name := named.FindStringSubmatch(path.Base(page))
		if name == nil || name[1] != fmt.Sprintf("%04d", next) {
			faults = append(faults, fmt.Sprintf("%s: the next decision is named %04d-some-title.md", page, next))
		}
		next++
		body := t.read(page)
		if s := status.FindStringSubmatch(body); s == nil || !known.MatchString(s[1]) {
			faults = append(faults, page+": the status is proposed, accepted, rejected or superseded by NNNN")
		}
		for _, s := range sections {
			if !strings.Contains(body, "\n"+s+"\n") {
				faults = append(faults, page+": no part "+s)
			}
		}
	}
	return faults
}

// versionsArePinned: versions that must not move by accident. The module proxy
// lists no wails later than v2.9.2, so an update would move it down; fasthttp
// before v1.78.0 has known request-smuggling faults that Fiber would bring.
func versionsArePinned(t *tree) []string {
	mod := t.read("go.mod")
	var faults []string
	for _, want := range []string{
		"github.com/wailsapp/wails/v2 v2.16.0", "github.com/valyala/fasthttp v1.78.0", "ignore ./frontend/node_modules",
	} {
		if !regexp.MustCompile(`(?m)^\s*(require )?` + regexp.QuoteMeta(want) + `(\s|$)`).MatchString(mod) {
			faults = append(faults, "go.mod: must say "+want)
		}
	}
	return faults
}

var (
	link  = regexp.MustCompile(`\]\(([^)\s]+)(?:\s+"[^"]*")?\)`)
	fence = regexp.MustCompile("(?ms)^```.*?^```$")
)

// linksAreAlive: a page of ours links to what exists, down to the heading, and
// names symbols rather than lines, which move.
func linksAreAlive(t *tree) []string {
	var faults []string
	for _, page := range t.pages {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(t.read(page), ""), -1) {
			if why := t.follow(page, m[1]); why != "" {
				faults = append(faults, fmt.Sprintf("%s: link to %s: %s", page, m[1], why))
			}
		}
	}
	return faults
}

// follow says what is wrong with a link, or "".
func (t *tree) follow(page, target string) string {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return ""
	}
	file, heading, _ := strings.Cut(target, "#")
	to := page
	if file != "" {
		to = path.Join(path.Dir(page), file)
	}
	if _, err := fs.Stat(t.root, to); err != nil {
		return "there is no such file"
	}
	if lines := regexp.MustCompile(`^L\d+`); lines.MatchString(heading) {
		return "lines move; name the symbol"
	}
	if heading != "" && path.Ext(to) == ".md" && !slices.Contains(headings(t.read(to)), heading) {
		return "there is no such heading"
	}
	return ""
}

// headings lists the anchors of a page, made as the usual renderers make them.
func headings(page string) []string {
	var list []string
	for line := range strings.Lines(fence.ReplaceAllString(page, "")) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && line[0] == '#' {
			list = append(list, strings.Map(anchor, strings.ToLower(strings.TrimSpace(title))))
		}
	}
	return list
}

func anchor(r rune) rune {
	switch {
	case r == ' ':
		return '-'
	case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
		return r
	}
	return -1
}
