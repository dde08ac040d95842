package carrier

import (
	"encoding/csv"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Columns that only people read, and columns of our own constants.
var csvFree = []string{"note", "notes", "comment", "comments", "description", "context", "reference", "references", "id"}

// csvEssence is the header and the rows in any order, without the free columns.
func csvEssence(data string) (string, error) {
	rows, err := parseCSV(data)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	var blank []int
	for i, name := range rows[0] {
		if slices.Contains(csvFree, strings.ToLower(strings.TrimSpace(name))) {
			blank = append(blank, i)
		}
	}
	out := make([]string, len(rows))
	for i, row := range rows {
		cells := make([]string, len(row))
		for j, cell := range row {
			if cells[j] = strconv.Quote(cell); i > 0 && slices.Contains(blank, j) {
				cells[j] = "*"
			}
		}
		out[i] = strings.Join(cells, ",")
	}
	slices.Sort(out[1:])
	return strings.Join(out, "\n"), nil
}

// parseCSV reads RFC 4180 text with a header, all rows of one length; lines that
// begin with # are comments.
func parseCSV(data string) ([][]string, error) {
	r := csv.NewReader(strings.NewReader(data))
	r.Comment = '#'
	rows, err := r.ReadAll()
	var e *csv.ParseError
	if errors.As(err, &e) {
		return nil, &syntaxError{offset(data, e.Line, e.Column), e.Err.Error()}
	}
	if err != nil {
		return nil, &syntaxError{0, err.Error()}
	}
	return rows, nil
}

// checkNotComment refuses a mark in a CSV line that begins with #: RFC 4180 knows no
// comments, so to many readers' tools the line is a row, which nothing here compares.
func (c *compiler) checkNotComment(d *document, m inline) bool {
	if d.format != csvFormat || d.src[strings.LastIndexByte(d.src[:m.at], '\n')+1] != '#' {
		return true
	}
	c.refuse(d.path, m.at, "a mark in a CSV line that begins with #", "mark a cell of a column for people: some tools read such a line as a row")
	return false
}
