// Package tabular turns the bytes of a table into rows, and finds out how the
// table is written: its encoding, its delimiter and quotes, its line ends, its
// header and where it ends. It knows nothing of CRM fields, of the database or
// of workflows.
//
//	bytes ─Packed, Unpack─▶ file ─Identify─▶ Format ─Rewrite─▶ UTF-8 text ─Sniff─▶ Layout ─NewReader─▶ rows
//	                                            └────Plain: as it stands────▲
//
// # What is promised
//
// A row that cannot be read exactly as its owner wrote it is returned with a
// fault and its line, and no neighbour is harmed by it; every line is part of a
// row, a faulty row, a blank row or a comment (invariant 1). Nothing is trimmed,
// retyped or mended. Errors say where, never what (invariant 4): names of
// columns and sheets are the only text of the file that they repeat.
//
// What a row is depends on the bytes from its first one onwards and on nothing
// before it, so reading may stop at any [Reader.Position] and go on from there
// with a new Reader, on another machine, with the same result (invariant 6).
//
// # What is guessed
//
// Every guess is a [crm.Decision] with its evidence, and every one can be set
// instead: see [crm.Reading]. Where the evidence is split, nothing is guessed,
// and an error says what to set:
//
//   - an encoding that no other stands out against, since a wrong one shows in
//     people's names and nowhere else;
//   - a first row that looks like the values below it, and not like names;
//   - two rows that both look like names;
//   - a header that hardly any row fits.
//
// What can be seen and would lose rows, such as totals at the end or lines that
// begin with #, is told in a decision and left as it is.
//
// # The rules of the text
//
// Cells are divided by one delimiter and rows by LF, CRLF or, in a file whose
// lines end so, a lone CR. In other files a lone CR is text. A cell that begins
// with a quote ends with one; "" inside stands for a quote, and so does \" where
// the layout says so; delimiters and line ends inside are text, kept byte for
// byte. A quote anywhere else makes the row faulty, as [crm.ReasonStrayQuote].
//
// A quote too many or too few must not swallow the lines after it. So when a
// quoted cell runs past the end of its line and the record then is malformed,
// has the wrong width or does not end, only its first line is a faulty row, and
// reading goes on at the next line. Where short rows are padded, too few cells
// are not the wrong width.
//
// A row is blank when all its cells are empty or white space. Blank rows and
// comments are counted, never returned. Empty cells beyond the header's last
// column are cut; fewer cells than columns are a fault, unless they are padded.
//
// # Sheets
//
// A workbook's sheet is rewritten once as text that the Reader understands: CSV
// that begins each row with its number in the sheet and its fault. A cell
// missing at the end of a sheet's row is a blank cell, not a fault.
//
// The text of a cell is what its owner would call its value. Texts stay as they
// are. A number is written with all its digits and without what its format adds
// for the eye, such as a currency, but with the zeros before it that a format
// like 00000 shows. Dates are 2024-02-29 or 2024-02-29T13:45:00, times of day
// 13:45:00, and durations 36:00:00. A formula counts by the value it had when
// the workbook was saved. Of merged cells the first has the value.
//
// A cell that holds an error, that says nothing that can be read, or that is
// longer than Excel's 32,767 characters makes its row faulty.
package tabular
