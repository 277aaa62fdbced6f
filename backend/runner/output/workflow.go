package output

import (
	"math"
	"strconv"
	"strings"

	"telltale/backend/job"
)

// Kind is what a line says about the work.
type Kind string

// The kinds. Progress, Phase, Summary and Hint are Telltale's own words; the
// rest are GitHub's workflow commands, with GitHub's meaning.
const (
	Progress Kind = "progress" // Said.Progress; Text is the phase, or ""
	Phase    Kind = "phase"
	Summary  Kind = "summary"
	Hint     Kind = "hint"
	Warning  Kind = "warning" // Said.Notice
	Error    Kind = "error"   // Said.Notice
	Notice   Kind = "notice"
	Debug    Kind = "debug"
	Group    Kind = "group" // a phase
	EndGroup Kind = "endgroup"
	AddMask  Kind = "add-mask" // Text is the secret
	Stop     Kind = "stop-commands"
	Resume   Kind = "resume-commands" // the line that ends a stop
)

// Said is what one line says about the work.
type Said struct {
	Kind     Kind
	Text     string // unescaped; may hold any character
	Progress job.Progress
	Notice   job.Notice
}

// Workflow reads workflow commands: lines of the form
//
//	::name key=value,key=value::text
//
// as GitHub's runner does (docs.github.com, "Workflow commands"): white space
// may come before, the name is read without regard to case, "%25", "%0D" and
// "%0A" are unescaped in the text, "%3A" and "%2C" in values too. Unknown names
// are not commands. "::stop-commands::token" turns all of it off until a line
// "::token::"; the token must not be a command's name. The zero Workflow is
// ready.
type Workflow struct {
	token string // what ends a stop; "" when commands are read
}

// Read says what the line means; false when it is only a line.
func (w *Workflow) Read(line string) (Said, bool) {
	line = strings.TrimLeft(line, " \t")
	if !strings.HasPrefix(line, "::") {
		return Said{}, false
	}
	head, text, found := strings.Cut(line[2:], "::")
	if !found {
		return Said{}, false
	}
	name, props, _ := strings.Cut(head, " ")
	if w.token != "" {
		if name != w.token {
			return Said{}, false
		}
		w.token = ""
		return Said{Kind: Resume}, true
	}
	kind := Kind(strings.ToLower(name))
	said := Said{Kind: kind, Text: unescape.Replace(text)}
	switch kind {
	case Phase, Summary, Hint, Notice, Debug, Group, EndGroup, AddMask:
	case Progress:
		p, ok := progress(properties(props))
		if !ok {
			return Said{}, false
		}
		said.Progress = p
	case Warning, Error:
		p := properties(props)
		n, err := strconv.Atoi(p["line"])
		if err != nil || n < 0 {
			n = 0
		}
		said.Notice = job.Notice{Message: said.Text, File: p["file"], Line: n}
	case Stop:
		if !token(text) {
			return Said{}, false
		}
		w.token = text
	case Resume:
		return Said{}, false // not a command: its line has a name of its own
	default:
		return Said{}, false
	}
	return said, true
}

// The order counts: "%25" last in each pair of replacements would undo twice;
// a Replacer reads once from left to right and has no such trouble.
var (
	unescape      = strings.NewReplacer("%0D", "\r", "%0d", "\r", "%0A", "\n", "%0a", "\n", "%25", "%")
	unescapeValue = strings.NewReplacer("%0D", "\r", "%0d", "\r", "%0A", "\n", "%0a", "\n",
		"%3A", ":", "%3a", ":", "%2C", ",", "%2c", ",", "%25", "%")
)

func properties(s string) map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(s, ",") {
		key, value, found := strings.Cut(pair, "=")
		if key = strings.ToLower(strings.TrimSpace(key)); found && key != "" {
			out[key] = unescapeValue.Replace(value)
		}
	}
	return out
}

// progress reads value, total and unit. Without a total the value is a percent,
// unless a unit says what it counts.
func progress(p map[string]string) (job.Progress, bool) {
	value, ok := number(p["value"])
	if !ok {
		return job.Progress{}, false
	}
	unit := Plain(p["unit"], 32)
	total, hasTotal := number(p["total"])
	switch {
	case hasTotal && total > 0:
		percent := min(100*value/total, 100)
		return job.Progress{Percent: &percent, Done: int64(value), Total: int64(total), Unit: unit}, true
	case unit == "" || unit == "%":
		percent := min(value, 100)
		return job.Progress{Percent: &percent}, true
	}
	return job.Progress{Done: int64(value), Unit: unit}, true
}

// number reads a number from 0 to 2^53.
func number(s string) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return v, err == nil && v >= 0 && v <= 1<<53 && !math.IsNaN(v)
}

// token reports whether s may end a stop of commands.
func token(s string) bool {
	switch Kind(strings.ToLower(s)) {
	case Progress, Phase, Summary, Hint, Warning, Error, Notice, Debug, Group, EndGroup, AddMask, Stop, Resume, "":
		return false
	}
	return !strings.ContainsAny(s, " :")
}
