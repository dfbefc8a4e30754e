package web

import (
	"errors"
	"io"
	"strings"

	"matricula/internal/lms"
	"matricula/internal/rosterfile"
	"matricula/internal/service"
)

// columnOfAddresses reads the column that holds the addresses: the one that is
// called so, else the one in which they are.
func columnOfAddresses(table *rosterfile.Table) ([]string, error) {
	var rows []rosterfile.Row
	for {
		row, err := table.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if rows = append(rows, row); len(rows) > service.MaxRows+1 {
			return nil, errNoRows
		}
	}
	if len(rows) == 0 {
		return nil, errNoRows
	}
	columns, headed, err := rosterfile.FindColumns(rows[0])
	if err != nil {
		return nil, err
	}
	if headed {
		rows = rows[1:]
	} else if columns, headed = rosterfile.GuessColumns(rows); !headed {
		return nil, errNoRows
	}
	var addresses []string
	for _, row := range rows {
		if cell := row.Cell(columns[rosterfile.Address]); cell != "" {
			addresses = append(addresses, cell)
		}
	}
	return addresses, nil
}

// pastedAddresses reads what was pasted. From several columns of a spreadsheet it
// takes the one that holds the addresses; a list that only has tabs in it is read
// as any other.
func pastedAddresses(text string) []string {
	if table, err := rosterfile.OpenText(text); err == nil && table.Separator == '\t' {
		list, err := columnOfAddresses(table)
		if err == nil && len(list) == strings.Count(text, "@") {
			return list
		}
	}
	return lms.SplitEmails(text)
}
