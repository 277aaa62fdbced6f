package action

import (
	"path/filepath"
	"slices"
	"strings"
)

// command builds a command.
func (b builder) command(a *Action, n *node) *Command {
	c := &Command{Shell: n.get("shell").string(), Dir: b.absolute(n.get("dir")), Env: map[string]string{}, Secrets: map[string]string{}}
	for i, arg := range n.get("argv").list() {
		b.template(a, arg, usePublic)
		if i == 0 {
			c.Argv = append(c.Argv, b.program(arg))
			continue
		}
		c.Argv = append(c.Argv, arg.text)
	}
	if at := n.get("shell"); at != nil {
		b.script(at)
	}
	taken := map[string]bool{}
	variable := func(name string, at *node) {
		switch {
		case isRefusedVariable(name):
			b.faults.add(at, "It can change what other programs run.", "The variable %s may not be set for a command.", name)
		case isOwnVariable(name):
			b.faults.add(at, "Choose another name.", "The variable %s is one Telltale sets itself.", name)
		case taken[name]:
			b.faults.add(at, "", "The variable %s is given twice.", name)
		}
		taken[name] = true
	}
	for _, e := range n.get("env").entries() {
		variable(e.name, e.key)
		b.template(a, e.node, useAll)
		c.Env[e.name] = e.node.text
	}
	for _, e := range n.get("secrets").entries() {
		variable(e.name, e.key)
		c.Secrets[e.name] = e.node.text
	}
	for _, item := range n.get("pass_env").list() {
		variable(item.text, item)
		c.PassEnv = append(c.PassEnv, item.text)
	}
	return c
}

// program is the first element of argv: never filled in, and with a slash in
// it a path from the catalog file's folder.
func (b builder) program(n *node) string {
	switch {
	case strings.TrimSpace(n.text) == "":
		b.faults.add(n, "", "The program to run has no name.")
	case strings.Contains(n.text, "{{"):
		b.faults.add(n, "Name it, and fill in its arguments.", "The program to run is never filled in.")
	case strings.HasPrefix(n.text, "-"):
		b.faults.add(n, "", `The program to run cannot begin with "-".`)
	case strings.ContainsRune(n.text, '/') && !filepath.IsAbs(n.text):
		return literal(filepath.Join(b.folder, n.text))
	}
	return n.text
}

// script checks a shell text.
func (b builder) script(n *node) {
	if strings.TrimSpace(n.text) == "" {
		b.faults.add(n, "", `"shell" is empty.`)
	}
	for _, inside := range []string{"{{params.", "{{target.", "{{ params.", "{{ target."} {
		if strings.Contains(n.text, inside) {
			b.faults.add(n, `Use "$PARAM_NAME" and "$TARGET_NAME", in double quotes.`, "A shell script is never filled in: what a person types could become a command.")
			return
		}
	}
}

// isRefusedVariable reports variables with which a caller can make a harmless
// program load or run something else.
func isRefusedVariable(name string) bool {
	name = strings.ToUpper(name)
	for _, prefix := range []string{"LD_", "DYLD_", "GIT_", "PYTHON", "PERL5", "BASH_FUNC_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return slices.Contains([]string{
		"BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS", "PS4", "IFS", "PROMPT_COMMAND",
		"NODE_OPTIONS", "RUBYOPT", "RUBYLIB", "JAVA_TOOL_OPTIONS", "GCONV_PATH",
	}, name)
}

// isOwnVariable reports variables Telltale gives every command.
func isOwnVariable(name string) bool {
	for _, prefix := range []string{"TELLTALE_", "PARAM_", "TARGET_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return name == "LC_ALL"
}
