package action_test

import (
	"strconv"
	"strings"
	"testing"

	"telltale/backend/action"
)

// refused checks that a catalog is refused for the given reason.
func refused(t *testing.T, text, reason string) {
	t.Helper()
	_, err := action.Parse("/x/telltale.yaml", []byte(text))
	if err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("%s\nis not refused with %q: %v", text, reason, err)
	}
}

func TestR59_VariablesThatLoadForeignCodeAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"LD_PRELOAD", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "BASH_ENV", "ENV",
		"PYTHONPATH", "PYTHONSTARTUP", "NODE_OPTIONS", "PERL5LIB", "PERL5OPT", "RUBYOPT", "IFS", "PROMPT_COMMAND", "ld_preload", "Bash_Env",
	} {
		for _, where := range []string{"env: {" + name + ": x}", "pass_env: [" + name + "]", "secrets: {" + name + ": X}"} {
			refused(t, "actions: {a: {command: {argv: [ls], "+where+"}}}", "The variable "+name+" may not be set for a command.")
		}
	}
	for _, name := range []string{"TELLTALE_TOKEN", "TELLTALE_JOB", "PARAM_X", "TARGET_ID"} {
		refused(t, "actions: {a: {command: {argv: [ls], pass_env: ["+name+"]}}}", "is one Telltale sets itself")
	}
}

func TestR62_PeersThatRunProgramsOrTellSecretsAreRefused(t *testing.T) {
	t.Parallel()
	for _, remote := range []string{
		"ext::sh -c id", "file:///srv/x.git", "-u", "--upload-pack=id", "ssh://-oProxyCommand=id/x", "ssh://-o@host/x",
		"git@-oProxyCommand=id:x", "git@host:-x", "https://user:pass@host/x.git", "https://token@host/x.git", "ssh://git:pass@host/x.git",
		"http://host/x.git", "git://host/x.git", "origin", "fd::7", "//host/share",
	} {
		quoted := strconv.Quote(remote)
		refused(t, "actions: {a: {git: {operation: push, repository: ./s, remote: "+quoted+"}}}", "telltale.yaml:1:")
		refused(t, "actions: {a: {targets: {good: {url: ./x}, bad: {url: "+quoted+"}}, git: {operation: pull, repository: ./s, remote: '{{target.url}}'}}}", "telltale.yaml:1:")
	}
	for _, of := range []string{"{}", "{type: select, options: [./a, ./b]}"} {
		refused(t, "actions: {a: {params: {url: "+of+"}, git: {operation: push, repository: ./s, remote: '{{params.url}}'}}}", "{{params.url}} cannot be filled in here.")
	}
	for _, remote := range []string{
		"./x.git", "../x.git", "/srv/x.git", "https://host/x.git", "https://host:8443/x.git", "ssh://git@host:22/x.git", "ssh://host/x", "git@host:x.git",
		"host.example:x", "http://127.0.0.1:3000/x.git", "http://[::1]:3000/x.git", "./a b/x.git",
	} {
		if _, err := action.Parse("/x/telltale.yaml", []byte("actions: {a: {git: {operation: push, repository: ./s, remote: "+strconv.Quote(remote)+"}}}")); err != nil {
			t.Errorf("%s: %v", remote, err)
		}
	}
}

// TestKeyCannotBeSentWhereATypedValueSays keeps a stored key from an address
// somebody filled in.
func TestKeyCannotBeSentWhereATypedValueSays(t *testing.T) {
	t.Parallel()
	refused(t, "actions: {a: {params: {host: {}}, api: {protocol: openai, base_url: 'https://{{params.host}}/v1', key: {secret: K}, model: m}}}",
		"{{params.host}} cannot be filled in here.")
}
