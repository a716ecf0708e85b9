package crm

import (
	"strconv"
	"strings"
)

// A RejectLayout says how rows of an import stand in a reject file, or in
// another list of rows for people: under the columns of all its files, each
// once. It is not changed once it is made, and safe for concurrent use.
type RejectLayout struct {
	files  []string // how rows name the file they are of; nil when there is one
	own    []string
	places [][]int // by file: where in own its columns are
	raw    bool
}

// NewRejectLayout lays out the columns of files, by their numbers in addresses:
// names has the name of each, headers its columns. Columns are the same when
// their names are; of columns with one name, or none, the first of a file is
// the same as the first of another, and so on. raw leaves cells as they are;
// without it they are guarded: see [Guard].
func NewRejectLayout(names []string, headers [][]string, raw bool) *RejectLayout {
	l := &RejectLayout{raw: raw, files: RejectFileNames(names)}
	named := map[string][]int{} // where in own the columns of a name are
	for _, header := range headers {
		places := make([]int, len(header))
		used := make(map[string]int, len(header)) // columns of a name so far
		for i, name := range header {
			if used[name] == len(named[name]) {
				named[name] = append(named[name], len(l.own))
				l.own = append(l.own, name)
			}
			places[i] = named[name][used[name]]
			used[name]++
		}
		l.places = append(l.places, places)
	}
	return l
}

// RejectFileNames returns how rows say which file they are of: by its name, or "#2"
// for the second when another has the same; nil when there is only one, so that
// a line needs no file to be found.
func RejectFileNames(names []string) []string {
	if len(names) < 2 {
		return nil
	}
	times := map[string]int{}
	for _, name := range names {
		times[name]++
	}
	list := make([]string, len(names))
	for i, name := range names {
		if list[i] = name; times[name] > 1 {
			list[i] = "#" + strconv.Itoa(i+1)
		}
	}
	return list
}

// Own returns the names of the rows' own columns. The caller must not change
// the slice.
func (l *RejectLayout) Own() []string { return l.own }

// Several reports whether rows say which file they are of.
func (l *RejectLayout) Several() bool { return l.files != nil }

// FileName returns how rows name a file; "" if they do not.
func (l *RejectLayout) FileName(file int) string {
	if file < 0 || file >= len(l.files) {
		return ""
	}
	return l.files[file]
}

// Header returns the first line of the file, and how many of its columns are
// ours.
func (l *RejectLayout) Header() (header []string, ours int) {
	header = RejectHeader(l.own, l.Several(), l.raw)
	for i := range header {
		header[i] = l.Cell(header[i])
	}
	return header, len(header) - len(l.own)
}

// Cell returns a cell as the file has it.
func (l *RejectLayout) Cell(cell string) string {
	if l.raw {
		return cell
	}
	return Guard(cell)
}

// Place returns where cell i of a row of a file is among the own columns. Cells
// beyond a file's header follow all columns.
func (l *RejectLayout) Place(file, i int) int {
	if file < 0 || file >= len(l.places) {
		return i
	}
	if n := len(l.places[file]); i >= n {
		return len(l.own) + i - n
	}
	return l.places[file][i]
}

// Record lays a row out under the header; fix is how to mend it, "" for none.
func (l *RejectLayout) Record(r RejectedRow, fix string) []string {
	columns, reasons := make([]string, len(r.Faults)), make([]string, len(r.Faults))
	for i, f := range r.Faults {
		columns[i], reasons[i] = f.Column, string(f.Reason)
	}
	var record []string
	if l.Several() {
		record = append(record, l.Cell(l.FileName(r.File)))
	}
	at := strings.TrimSuffix(strings.Join(columns, "; "), "; ")
	record = append(record, strconv.FormatInt(r.Line, 10), l.Cell(at), strings.Join(reasons, "; "), fix)
	ours := len(record)
	record = append(record, make([]string, len(l.own))...)
	for i, cell := range r.Cells {
		to := ours + l.Place(r.File, i)
		for to >= len(record) {
			record = append(record, "")
		}
		record[to] = l.Cell(cell)
	}
	if len(record) > ours+len(l.own) {
		// A row wider than the header must not go over several lines: it would
		// not be found again as one row.
		for i := range record {
			record[i] = strings.NewReplacer("\r", " ", "\n", " ").Replace(record[i])
		}
	}
	return record
}
