package action

import (
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// builder makes actions of nodes that have the right shape, and notes what a
// shape cannot say.
type builder struct {
	folder string // absolute; where relative paths begin
	faults *Faults
	loose  bool // parts of this action's targets or parameters were wrong, so that a missing one is no news
}

// catalog builds everything.
func (b builder) catalog(root *node) *Catalog {
	c := &Catalog{byID: map[string]*Action{}}
	for _, e := range root.get("actions").entries() {
		a := b.action(e)
		c.actions = append(c.actions, a)
		c.byID[a.ID] = a
	}
	if n := root.get("practice"); n != nil {
		c.Practice = &Practice{Listen: n.get("listen").string(), Key: n.get("key").string()}
		if at := n.get("listen"); at != nil && !isLoopback(at.text) {
			b.faults.add(at, "Write 127.0.0.1:8099, or another port.", "The practice service may listen on a loopback address only, with a port from 1 to 65535.")
		}
	}
	return c
}

// isLoopback reports whether an address with a port stays on this machine.
func isLoopback(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || n == 0 {
		return false
	}
	return isLoopbackHost(host)
}

// isLoopbackHost reports whether a host is this machine by its very name.
func isLoopbackHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// action builds one action.
func (b builder) action(e entry) *Action {
	n := e.node
	for _, part := range []string{"targets", "params"} {
		b.loose = b.loose || slices.Contains(n.lost, part) || n.get(part) != nil && len(n.get(part).lost) > 0
	}
	a := &Action{
		ID:          e.name,
		Title:       or(n.get("title").string(), e.name),
		Description: n.get("description").string(),
		Group:       n.get("group").string(),
		OnBusy:      OnBusy(or(n.get("on_busy").string(), string(Join))),
		Concurrency: n.get("concurrency").int(0),
		Timeout:     n.get("timeout").duration(time.Hour),
		Grace:       n.get("grace").duration(10 * time.Second),
		Attempts:    n.get("attempts").int(1),
		Backoff:     n.get("backoff").duration(10 * time.Second),
		Idempotent:  n.get("idempotent").bool(),
		Keep:        Keep{Age: n.get("keep").get("age").duration(0), Count: n.get("keep").get("count").int(0)},
		Output:      Output(or(n.get("output").string(), string(Text))),
	}
	for _, role := range n.get("roles").list() {
		a.Roles = append(a.Roles, role.text)
	}
	for _, t := range n.get("targets").entries() {
		a.Targets = append(a.Targets, b.target(t))
	}
	for _, p := range n.get("params").entries() {
		a.Params = append(a.Params, b.param(p))
	}
	b.exit(a, n.get("exit"))
	if at := n.get("idempotent"); a.Idempotent && a.Attempts == 1 && !slices.Contains(n.lost, "attempts") {
		b.faults.add(at, `Add "attempts: 2" or more.`, `"idempotent" does nothing while there is one attempt only.`)
	}
	if at := n.get("command"); at != nil {
		a.Command = b.command(a, at)
	}
	if at := n.get("git"); at != nil {
		a.Git = b.git(a, at)
	}
	if at := n.get("api"); at != nil {
		a.API = b.api(a, at)
	}
	if a.Command == nil {
		for _, k := range n.entries() {
			if k.name == "output" || k.name == "exit" {
				b.faults.add(k.key, "Leave it out.", "%q means something for a command only.", k.name)
			}
		}
	}
	return a
}

// exit reads what exit codes mean.
func (b builder) exit(a *Action, n *node) {
	seen := map[int]bool{}
	codes := func(items []*node) []int {
		var list []int
		for _, item := range items {
			code := item.int(0)
			if seen[code] {
				b.faults.add(item, "", "Exit code %d is named twice.", code)
			}
			seen[code] = true
			list = append(list, code)
		}
		return list
	}
	a.Exit = Exit{Success: codes(n.get("success").list()), Warning: codes(n.get("warning").list())}
}

// target builds one target.
func (b builder) target(e entry) Target {
	t := Target{ID: e.name, Title: or(e.node.get("title").string(), e.name), Values: map[string]string{}}
	for _, v := range e.node.entries() {
		switch v.name {
		case "title":
		case "id":
			b.faults.add(v.key, "", `"id" is the name of the target itself and cannot be one of its values.`)
		default:
			t.Values[v.name] = v.node.text
		}
	}
	return t
}

// absolute is a path of the file as seen from anywhere. Paths are never filled
// in: who may fill in a path may leave the folder.
func (b builder) absolute(n *node) string {
	if n == nil {
		return b.folder
	}
	if strings.Contains(n.text, "{{") {
		b.faults.add(n, "Write the path itself.", "A path is never filled in.")
	}
	if strings.HasPrefix(n.text, "~") {
		b.faults.add(n, "Write the path from / or from the catalog file's folder.", `"~" means nothing here.`)
	}
	if filepath.IsAbs(n.text) {
		return filepath.Clean(n.text)
	}
	return filepath.Join(b.folder, n.text)
}

// or is the first text, or the second when that is empty.
func or(text, instead string) string {
	if text == "" {
		return instead
	}
	return text
}

// int is a whole number, or what an absent one means.
func (n *node) int(absent int) int {
	if n == nil {
		return absent
	}
	f, err := strconv.ParseFloat(n.text, 64)
	if err != nil {
		return absent
	}
	return int(f)
}

// number is a number, nil when absent.
func (n *node) number() *float64 {
	if n == nil {
		return nil
	}
	f, err := strconv.ParseFloat(n.text, 64)
	if err != nil {
		return nil
	}
	return &f
}

// bool is a boolean; an absent one is false.
func (n *node) bool() bool {
	return n != nil && strings.EqualFold(n.text, "true")
}

// duration is a duration, or what an absent one means.
func (n *node) duration(absent time.Duration) time.Duration {
	if n == nil {
		return absent
	}
	d, err := parseDuration(n.text)
	if err != nil {
		return absent
	}
	return d
}
