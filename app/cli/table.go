package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// table is rows of cells under a head. Cells may hold colours.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// print writes the table in columns. With columns > 0 a row is cut to that
// width, which only the last cells feel.
func (t *table) print(w io.Writer, p paint, columns int) {
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	head := make([]string, len(t.head))
	for i, cell := range t.head {
		head[i] = p.dim(strings.ToUpper(cell))
	}
	for _, row := range append([][]string{head}, t.rows...) {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-ansi.StringWidth(cell)+2))
			}
		}
		line := strings.TrimRight(b.String(), " ")
		if columns > 0 {
			line = ansi.Truncate(line, columns, "…")
		}
		fmt.Fprintln(w, line)
	}
}

// clock is an instant as the reader's wall clock shows it; "" for none.
func clock(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Local().Format("2006-01-02 15:04:05")
}

// clockOf is clock without the day when it is today: in a terminal the room is
// better given to what a job came to.
func clockOf(at, now time.Time) string {
	if y, m, d := at.Local().Date(); !at.IsZero() {
		if ny, nm, nd := now.Local().Date(); y == ny && m == nm && d == nd {
			return at.Local().Format(time.TimeOnly)
		}
	}
	return clock(at)
}
