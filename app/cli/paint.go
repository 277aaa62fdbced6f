package cli

import (
	"io"
	"os"

	"golang.org/x/term"

	"telltale/backend/job"
)

// reset ends every colour (ECMA-48 SGR 0).
const reset = "\x1b[0m"

// paint colours text for one stream. It is off where colours would be noise:
// in a file, in a pipe, on a dumb terminal, or when NO_COLOR is set.
type paint bool

// painter decides for a stream (https://no-color.org).
func painter(w io.Writer) paint {
	return paint(terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb")
}

// terminal reports whether a person looks at the stream.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width is how many columns the terminal behind w has; 80 when nobody knows.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 80
}

func (p paint) sgr(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + reset
}

func (p paint) bold(s string) string { return p.sgr("1", s) }
func (p paint) dim(s string) string  { return p.sgr("2", s) }

// state gives the text the colour of the lamp.
func (p paint) state(s job.State, text string) string {
	switch s {
	case job.Queued, job.Skipped, job.New:
		return p.dim(text)
	case job.Running:
		return p.sgr("36", text)
	case job.Waiting:
		return p.sgr("35", text)
	case job.Succeeded:
		return p.sgr("32", text)
	case job.Warning:
		return p.sgr("33", text)
	case job.Failed:
		return p.sgr("1;31", text)
	case job.Canceled:
		return p.sgr("90", text)
	case job.Interrupted:
		return p.sgr("1;35", text)
	}
	return text
}

// mark is the lamp as one character: told apart by shape, not by colour alone.
func mark(s job.State) string {
	switch s {
	case job.Queued, job.New:
		return "○"
	case job.Running:
		return "◐"
	case job.Waiting:
		return "◇"
	case job.Succeeded:
		return "✔"
	case job.Warning:
		return "▲"
	case job.Failed:
		return "✖"
	case job.Canceled:
		return "■"
	case job.Interrupted:
		return "◆"
	case job.Skipped:
		return "▷"
	}
	return "?"
}
