package service

import (
	"context"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// ImportRowsRequest asks for a page of an import's rows.
type ImportRowsRequest struct {
	ID    int64
	Show  string // a plan before it began, a result afterwards, "stays" for what could not be undone; empty: all
	After int64  // the last row of the page before
	Limit int
}

// ShowStays asks for the rows that undoing has left as they were.
const ShowStays = "stays"

// ImportedRow is a row of an import as it is shown.
type ImportedRow struct {
	lms.ImportRow
	Row     int64 // from 1, in the order of the file; those who would leave follow
	Leaving bool
	Person  *lms.User // nil for somebody who is not known, or whom the caller may not see
	Says    map[string]string
}

// ImportRowsPage is a page of rows.
type ImportRowsPage struct {
	Rows []ImportedRow
	Next int64 // 0 when there are no more
}

// ImportRows lists rows of an import in their order.
func (s *Service) ImportRows(ctx context.Context, c access.Caller, r ImportRowsRequest) (p ImportRowsPage, err error) {
	i, _, err := s.Import(ctx, c, r.ID)
	if err != nil {
		return p, err
	}
	tx := s.store.Reader()
	infos, err := tx.ChunkInfos(ctx, i.ID)
	if err != nil {
		return p, err
	}
	for _, info := range infos {
		last := info.N*chunkRows + info.Rows
		if last <= r.After || (r.Show != "" && r.Show != ShowStays && info.Counts != nil && info.Step != lms.ChunkRead && info.Counts[r.Show] == 0) {
			continue
		}
		chunk, ok, err := tx.Chunk(ctx, i.ID, info.N)
		if err != nil {
			return p, err
		}
		if !ok {
			break
		}
		for k := range chunk.Rows {
			row := ImportedRow{ImportRow: chunk.Rows[k], Row: info.N*chunkRows + int64(k) + 1, Leaving: chunk.Leaving}
			if row.Row <= r.After || !row.shown(r.Show, chunk.Step) {
				continue
			}
			if len(p.Rows) == r.Limit {
				p.Next = p.Rows[len(p.Rows)-1].Row
				return p, s.addPeople(ctx, tx, i, p.Rows)
			}
			row.Says = said(i, &row.ImportRow)
			p.Rows = append(p.Rows, row)
		}
	}
	return p, s.addPeople(ctx, tx, i, p.Rows)
}

// shown tells whether a filter lets a row through.
func (r *ImportedRow) shown(show string, step lms.ChunkStep) bool {
	switch {
	case show == "":
		return true
	case show == ShowStays:
		return r.Undone != "" && r.Undone != undone
	case step == lms.ChunkDone || step == lms.ChunkUndone:
		return r.Result == show
	}
	return r.Plan == show
}

// said is what stands in the columns of a row, by their fields.
func said(i lms.Import, row *lms.ImportRow) map[string]string {
	says := make(map[string]string, len(i.Columns))
	for f, n := range i.Columns {
		if n < len(row.Cells) && row.Cells[n] != "" {
			says[f] = row.Cells[n]
		}
	}
	return says
}

// addPeople finds the people of a page of rows.
func (s *Service) addPeople(ctx context.Context, tx *store.Tx, i lms.Import, rows []ImportedRow) error {
	var ids []int64
	for _, r := range rows {
		if r.UserID != 0 {
			ids = append(ids, r.UserID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	members, err := tx.AnyMembersByID(ctx, i.CourseID, ids)
	if err != nil {
		return err
	}
	byID := make(map[int64]*lms.User, len(members))
	for k := range members {
		byID[members[k].User.ID] = &members[k].User
	}
	for k := range rows {
		rows[k].Person = byID[rows[k].UserID]
	}
	return nil
}

// ExportImport gives every row of an import to each, for a download, which stands
// in the audit.
func (s *Service) ExportImport(ctx context.Context, c access.Caller, id int64, each func(*lms.Import, *ImportedRow) error) error {
	i, _, err := s.Import(ctx, c, id)
	if err != nil {
		return err
	}
	if err := s.recordExport(ctx, c, access.RosterExport, i.CourseID, "import"); err != nil {
		return err
	}
	for after := int64(0); ; {
		p, err := s.ImportRows(ctx, c, ImportRowsRequest{ID: id, After: after, Limit: exportPage})
		if err != nil {
			return err
		}
		for k := range p.Rows {
			if err := each(&i, &p.Rows[k]); err != nil {
				return err
			}
		}
		if after = p.Next; after == 0 {
			return nil
		}
	}
}

// ImportSample is the first rows of a list as they came, for whoever says what its
// columns hold.
func (s *Service) ImportSample(ctx context.Context, c access.Caller, id int64, limit int) ([]lms.ImportRow, error) {
	i, _, err := s.Import(ctx, c, id)
	if err != nil {
		return nil, err
	}
	chunk, ok, err := s.store.Reader().Chunk(ctx, i.ID, 0)
	if err != nil || !ok {
		return nil, err
	}
	return chunk.Rows[:min(limit, len(chunk.Rows))], nil
}
