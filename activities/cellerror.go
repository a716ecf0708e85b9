package activities

import (
	"slices"
	"strings"

	"sluice/internal/crm"
)

// cellErrors are the errors that a spreadsheet shows in a cell.
var cellErrors = []string{
	"#N/A", "#DIV/0!", "#REF!", "#NAME?", "#NULL!", "#NUM!", "#VALUE!", "#GETTING_DATA", "#SPILL!", "#CALC!",
	"#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#BUSY!", "#PYTHON!",
}

func showsError(cell string) bool { return slices.Contains(cellErrors, strings.TrimSpace(cell)) }

// unreadable returns why a row that could not be read is rejected. A row with an
// error in a cell says in which columns there is one, each once, as far as they
// are told by what the cells show; any other fault is of the whole row.
func unreadable(row *crm.Row, header []string) []crm.Rejection {
	var out []crm.Rejection
	if row.Fault == crm.ReasonCellError {
		for i, cell := range row.Cells[:min(len(header), len(row.Cells))] {
			f := crm.Rejection{Column: header[i], Reason: row.Fault}
			if showsError(cell) && !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	if out == nil {
		out = []crm.Rejection{{Reason: row.Fault}}
	}
	return out
}
