package action

import (
	"regexp"
	"strings"
)

// durationPattern is what a duration looks like; parseDuration has the last word.
const durationPattern = `([0-9]+(ms|s|m|h|d|w))+`

// variablePattern is what names of variables and secrets look like.
const variablePattern = `[A-Za-z_][A-Za-z0-9_]{0,63}`

// slugs is the rule for ids, which stand in URLs and file names.
var slugs = nameRule{
	pattern: `[a-z0-9][a-z0-9._-]{0,62}`,
	said:    `lower-case letters, digits, ".", "_" and "-", beginning with a letter or digit, at most 63, and not ".." anywhere`,
	allowed: func(s string) bool {
		return slugForm.MatchString(s) && !strings.Contains(s, "..")
	},
}

var slugForm = regexp.MustCompile(`\A[a-z0-9][a-z0-9._-]{0,62}\z`)

// names is the rule for parameters and the values of targets.
var names = nameRule{
	pattern: `[a-z][a-z0-9_]{0,62}`,
	said:    `a lower-case letter, then lower-case letters, digits and "_", at most 63`,
	allowed: isName,
}

// variables is the rule for environment variables, as far as it is about form.
var variables = nameRule{
	pattern: variablePattern,
	said:    `letters, digits and "_", not beginning with a digit, at most 64`,
	allowed: regexp.MustCompile(`\A` + variablePattern + `\z`).MatchString,
}

// language is the whole catalog file. It is a function, not a variable, since
// nothing may change it.
func language() *shape {
	return &shape{kind: objectKind, keys: []key{
		{
			name: "actions", required: true, shape: &shape{kind: mappingKind, names: slugs, item: actionShape()},
			doc: "What an admin can start, by id. The id stands in URLs and records and should never change.",
		},
		{
			name: "practice", shape: practiceShape(),
			doc: "A small service on this machine that speaks the OpenAI-compatible protocol, to try a connection test without the network.",
		},
	}}
}

func practiceShape() *shape {
	return &shape{kind: objectKind, keys: []key{
		{name: "listen", required: true, shape: line(64), doc: "Where it listens: a loopback address with a port, such as 127.0.0.1:8099."},
		{name: "key", required: true, shape: line(200), doc: "The key it accepts."},
	}}
}

func actionShape() *shape {
	return &shape{kind: objectKind, oneOf: [][]string{{"command", "git", "api"}}, keys: []key{
		{name: "title", shape: line(100), doc: "The name people see. The id when absent."},
		{name: "description", shape: &shape{kind: textKind, max: 2000}, doc: "What it does, for the person about to press the button."},
		{name: "group", shape: line(60), doc: "A heading under which the page shows it, together with others that name the same."},
		{name: "targets", shape: &shape{kind: mappingKind, names: slugs, item: targetShape()}, doc: "What it can act on, by id. Each target has a button and a lamp of its own."},
		{name: "params", shape: &shape{kind: mappingKind, names: names, item: paramShape()}, doc: "What the person who starts it may fill in, by name."},
		{name: "command", shape: commandShape(), doc: "Run a program."},
		{name: "git", shape: gitShape(), doc: "Push or pull a git repository."},
		{name: "api", shape: apiShape(), doc: "Test the connection to a service, step by step."},
		{name: "output", standard: "text", shape: word("text", "gotest"), doc: "How to read what the command prints, beyond the lines any command may print about itself: gotest reads go test -json."},
		{name: "exit", shape: exitShape(), doc: "What exit codes other than 0 mean. A code that is not named is a failure."},
		{name: "on_busy", standard: "join", shape: word("join", "queue", "replace", "parallel", "reject"), doc: "What a second trigger does while the same action and target is live: watch the live job, stand in line, cancel the live job and run, run beside it, or be refused."},
		{name: "concurrency", shape: &shape{kind: integerKind, min: 1, max: 1000}, doc: "How many jobs of this action run at once over all targets. No limit when absent."},
		{name: "timeout", standard: "1h", shape: span(0.1, 30*day), doc: "How long one attempt may run before it is stopped."},
		{name: "grace", standard: "10s", shape: span(0, 600), doc: "How long the work has between being asked to stop and being killed."},
		{name: "attempts", standard: "1", shape: &shape{kind: integerKind, min: 1, max: 100}, doc: "How often it is tried when it fails."},
		{name: "backoff", standard: "10s", shape: span(0, 3600), doc: "How long it waits before the second attempt. The wait doubles with each attempt, up to one hour."},
		{name: "idempotent", standard: "false", shape: &shape{kind: booleanKind}, doc: "That running it twice does no harm. Only then it is tried again by itself after an interruption, whose outcome nobody knows."},
		{name: "roles", shape: &shape{kind: listKind, min: 1, item: &shape{kind: lineKind, pattern: slugs.pattern}}, doc: "Who may start it. Until people sign in, whoever the operating system lets in may."},
		{name: "keep", shape: keepShape(), doc: "How long its finished jobs are kept."},
	}}
}

func targetShape() *shape {
	return &shape{kind: objectKind, names: names, rest: &shape{kind: scalarKind, max: 2000}, keys: []key{
		{name: "title", shape: line(100), doc: "The name people see. The id when absent. Every other key is a value of the target's own, for {{target.name}}; {{target.id}} and {{target.title}} are always there."},
	}}
}

func paramShape() *shape {
	return &shape{kind: objectKind, keys: []key{
		{name: "type", standard: "text", shape: word("text", "number", "boolean", "select", "secret"), doc: "What may be filled in. A secret is handed to the work, masked in its output and recorded nowhere."},
		{name: "title", shape: line(100), doc: "The label people see. The name when absent."},
		{name: "description", shape: &shape{kind: textKind, max: 1000}, doc: "A sentence below the field."},
		{name: "required", standard: "false", shape: &shape{kind: booleanKind}, doc: "That it must be filled in."},
		{name: "default", shape: &shape{kind: scalarKind, max: 4000}, doc: "What it is when nobody fills it in. A boolean is false when absent; a secret has no default."},
		{name: "options", shape: &shape{kind: listKind, min: 1, item: &shape{kind: scalarKind, max: 200}}, doc: "select: what there is to choose from."},
		{name: "pattern", shape: line(500), doc: "text: a regular expression (RE2) the whole value must match, from the first character to the last."},
		{name: "min", shape: &shape{kind: numberKind}, doc: "number: the least value; text and secret: the fewest characters."},
		{name: "max", shape: &shape{kind: numberKind}, doc: "number: the greatest value; text and secret: the most characters."},
		{name: "integer", standard: "false", shape: &shape{kind: booleanKind}, doc: "number: whole numbers only."},
		{name: "allow_dash", standard: "false", shape: &shape{kind: booleanKind}, doc: `text: that the value may begin with "-", which many programs take for an option.`},
		{name: "under", shape: line(1000), doc: "text: a folder. The value must be a path inside it, also when symbolic links are followed, written with \"/\" and without \"..\"."},
	}}
}

func commandShape() *shape {
	values := &shape{kind: mappingKind, names: variables, item: &shape{kind: scalarKind, max: 4000}}
	return &shape{kind: objectKind, oneOf: [][]string{{"argv", "shell"}}, keys: []key{
		{name: "argv", shape: &shape{kind: listKind, min: 1, item: &shape{kind: scalarKind, max: 4000}}, doc: "The program and its arguments, one by one. {{params.name}} and {{target.name}} are filled in within an argument; no shell reads them. A program with a slash in its name is looked for beside the catalog file, any other in PATH."},
		{name: "shell", shape: &shape{kind: textKind, max: 16000}, doc: "A script for sh. Nothing is filled in: parameters and target arrive as variables, $PARAM_NAME and $TARGET_NAME, with $TARGET_ID and $TARGET_TITLE."},
		{name: "dir", standard: ".", shape: line(1000), doc: "The folder it runs in, beside the catalog file when not absolute."},
		{name: "env", shape: values, doc: "Variables it gets, beside the few every command gets. {{params.name}} and {{target.name}} are filled in, secret parameters too."},
		{name: "pass_env", shape: &shape{kind: listKind, min: 1, item: &shape{kind: lineKind, pattern: variablePattern}}, doc: "Variables it gets from Telltale's own environment. Nothing else of that reaches it."},
		{name: "secrets", shape: &shape{kind: mappingKind, names: variables, item: &shape{kind: lineKind, pattern: variablePattern}}, doc: "Variables it gets from stored secrets: the variable's name, then the secret's."},
	}}
}

func gitShape() *shape {
	return &shape{kind: objectKind, keys: []key{
		{name: "operation", required: true, shape: word("push", "pull"), doc: "push sends commits to the peer, pull fetches and fast-forwards."},
		{name: "repository", required: true, shape: line(1000), doc: "The working copy, beside the catalog file when not absolute."},
		{name: "remote", required: true, shape: line(2000), doc: "The peer: https://…, ssh://…, user@host:path, or a path that begins with ./, ../ or /. {{target.name}} is filled in, parameters never are."},
		{name: "branch", standard: "main", shape: line(200), doc: "The branch on both sides. {{target.name}} is filled in, and {{params.name}} of a select."},
		{name: "allow_unsigned", standard: "true", shape: &shape{kind: switchKind}, doc: "Whether commits without a good signature may move. {{params.name}} of a boolean leaves it to the person who presses."},
	}}
}

func apiShape() *shape {
	return &shape{kind: objectKind, keys: []key{
		{name: "protocol", required: true, shape: word("openai"), doc: "What the service speaks: the HTTP API of OpenAI, as many services do."},
		{name: "base_url", required: true, shape: line(2000), doc: "Where it is, with the version: https://…/v1. {{target.name}} is filled in, and {{params.name}} of a select, so that the key cannot be sent anywhere else."},
		{name: "key", required: true, shape: &shape{kind: objectKind, keys: []key{
			{name: "secret", shape: &shape{kind: lineKind, pattern: variablePattern}, doc: "A stored secret."},
			{name: "param", shape: &shape{kind: lineKind, pattern: names.pattern}, doc: "A secret parameter, used in place of the stored secret when it is filled in."},
		}}, doc: "The credential."},
		{name: "model", required: true, shape: line(200), doc: "The model to ask for one tiny completion. {{params.name}} and {{target.name}} are filled in."},
	}}
}

func exitShape() *shape {
	codes := &shape{kind: listKind, min: 1, item: &shape{kind: integerKind, min: 1, max: 255}}
	return &shape{kind: objectKind, keys: []key{
		{name: "success", shape: codes, doc: "Exit codes that mean it ended well."},
		{name: "warning", shape: codes, doc: "Exit codes that mean it ended well, with something a person should read."},
	}}
}

func keepShape() *shape {
	return &shape{kind: objectKind, keys: []key{
		{name: "age", shape: span(60, 100*365*day), doc: "Older ones are removed."},
		{name: "count", shape: &shape{kind: integerKind, min: 1, max: 10_000_000}, doc: "Of more than this, the oldest are removed."},
	}}
}

// day is the seconds of a day.
const day = 24 * 60 * 60

// line is one line of at most so many characters.
func line(most float64) *shape { return &shape{kind: lineKind, max: most} }

// word is one of a few words.
func word(words ...string) *shape { return &shape{kind: lineKind, enum: words} }

// span is a duration between two numbers of seconds.
func span(least, most float64) *shape {
	return &shape{kind: durationKind, pattern: durationPattern, min: least, max: most}
}
