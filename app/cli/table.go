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
	widths := t.widths()
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

// list writes each row as a paragraph, for a table that is too wide to be read
// as one: the first cell, and under it the others that hold something, each
// behind its head.
func (t *table) list(w io.Writer, p paint) {
	longest := 0
	for _, head := range t.head[1:] {
		longest = max(longest, ansi.StringWidth(head))
	}
	for n, row := range t.rows {
		if n > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, row[0])
		for i, cell := range row[1:] {
			if cell != "" {
				head := t.head[i+1]
				fmt.Fprintf(w, "  %s%s  %s\n", p.dim(head), strings.Repeat(" ", longest-ansi.StringWidth(head)), cell)
			}
		}
	}
}

// width is how many columns of a terminal the table takes.
func (t *table) width() int {
	all := 2 * (len(t.head) - 1)
	for _, w := range t.widths() {
		all += w
	}
	return all
}

func (t *table) widths() []int {
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	return widths
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
