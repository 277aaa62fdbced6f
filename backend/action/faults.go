package action

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with a catalog file. Line and Column count
// from 1; both are 0 when the fault is in no one place. Message is a sentence;
// Hint, which may be empty, is another that says what to do.
type Fault struct {
	Line    int
	Column  int
	Message string
	Hint    string
}

// Faults is everything that is wrong with a catalog file, in the order of the
// file. A file with a mistake in its YAML has one fault, since nothing after it
// can be read.
type Faults struct { //nolint:errname // it is the list, and reads as one where it is shown
	File string
	List []Fault
}

// Error says every fault, one a line: file:line:column: message hint.
func (f *Faults) Error() string {
	lines := make([]string, len(f.List))
	for i, fault := range f.List {
		lines[i] = f.File + ":"
		if fault.Line > 0 {
			lines[i] += fmt.Sprintf("%d:%d:", fault.Line, fault.Column)
		}
		lines[i] += " " + fault.Message
		if fault.Hint != "" {
			lines[i] += " " + fault.Hint
		}
	}
	return strings.Join(lines, "\n")
}

// spot is where a fault is: anything with a place in the file.
type spot interface{ at() (line, column int) }

// add notes a fault.
func (f *Faults) add(where spot, hint, format string, args ...any) {
	line, column := where.at()
	f.List = append(f.List, Fault{Line: line, Column: column, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// err is the faults in the order of the file, or nil when there are none.
func (f *Faults) err() error {
	if len(f.List) == 0 {
		return nil
	}
	slices.SortStableFunc(f.List, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	f.List = slices.Compact(f.List)
	if extra := len(f.List) - 2*maxFaults; extra > 0 {
		f.List = append(f.List[:2*maxFaults], Fault{Message: fmt.Sprintf("There are %d more faults.", extra)})
	}
	return f
}
