package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/rosterfile"
	"matricula/internal/store"
)

// NewImport is a list to be imported: a file, or a text that was pasted.
type NewImport struct {
	CourseID int64
	Name     string // of the file
	File     *os.File
	Text     string
	Options  lms.ImportOptions
	RunID    int64 // of a roster source; 0: a person brings it
}

// sameImport is for how long the same list from the same person is taken for a
// double click or a second try, and not for another import.
const sameImport = 10 * time.Minute

// CreateImport stores the rows of a list, which are then checked in the
// background. Nothing of the course changes before StartImport. The same list,
// sent again by the same person while the first waits or runs, is the first.
func (s *Service) CreateImport(ctx context.Context, c access.Caller, n NewImport, once *Once) (lms.Import, error) {
	if n.Options.Role == "" {
		n.Options.Role = lms.RoleStudent
	}
	print, err := n.fingerprint()
	if err != nil {
		return lms.Import{}, err
	}
	name, err := lms.CleanText(lms.Clip(n.Name, 120), "name", 120)
	if err != nil {
		name = ""
	}
	if once != nil {
		once.Body = []byte(print)
	}
	mine := false // to be read by this request
	i, err := doOnce(ctx, s, c, access.ImportCreate, n.CourseID, once, func(ctx context.Context, w *work) (i lms.Import, err error) {
		if _, err := w.roleToGive(ctx, n.Options.Role); err != nil {
			return i, err
		}
		same := false
		if n.RunID == 0 {
			i, same, err = w.tx.SameImport(ctx, n.CourseID, w.caller.UserID, print, w.now.Add(-sameImport))
		}
		if mine = false; err != nil || same {
			w.nothingChanged()
			return i, err
		}
		mine = true
		i = lms.Import{CourseID: n.CourseID, CreatedBy: w.caller.UserID, CreatedAt: w.now, Name: name, Fingerprint: print, State: lms.ImportReading, Options: n.Options, StartedBy: w.caller.UserID, UndoneBy: w.caller.UserID, RunID: n.RunID}
		if i.ID, err = w.tx.CreateImport(ctx, i); err != nil {
			return i, err
		}
		if err := w.tx.RenewImport(ctx, i.ID, "", w.now.Add(leaseFor)); err != nil {
			return i, err
		}
		return i, w.record(ctx, 0, nil, importView(lms.Import{ID: i.ID, Name: name}))
	})
	if err != nil {
		return i, err
	}
	if !mine { // as it is by now; an answer that was kept for an Idempotency-Key is old
		if i, mine, err = s.takeReading(ctx, i.ID); err != nil || !mine {
			return i, err
		}
	}
	if err := s.readRows(ctx, n, &i); err != nil {
		s.dropUnread(ctx, i.ID, err)
		return lms.Import{}, err
	}
	s.Wake()
	return i, nil
}

// takeReading reads an import that is there already. Whoever read the list for it may
// have died: then this request, which has brought the same list, begins anew with it.
func (s *Service) takeReading(ctx context.Context, id int64) (i lms.Import, mine bool, err error) {
	err = s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		mine, err = tx.TakeReading(ctx, id, s.now(), s.now().Add(leaseFor))
		return err
	})
	if err != nil {
		return i, false, err
	}
	i, _, err = s.store.Reader().Import(ctx, id)
	if mine { // nothing is known of what it holds before all of it is read
		i.Heading, i.Columns = nil, nil
	}
	return i, mine, err
}

func (n *NewImport) fingerprint() (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%+v\n", n.Options)
	if n.File == nil {
		io.WriteString(h, n.Text)
		return hex.EncodeToString(h.Sum(nil)), nil
	}
	if _, err := n.File.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	if _, err := io.Copy(h, n.File); err != nil {
		return "", err
	}
	_, err := n.File.Seek(0, io.SeekStart)
	return hex.EncodeToString(h.Sum(nil)), err
}

// dropUnread takes an import back that could not be read. Should that fail too, the
// half-read one is removed later.
func (s *Service) dropUnread(ctx context.Context, id int64, cause error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		i, ok, err := tx.LockImport(ctx, id)
		if err != nil || !ok || i.State != lms.ImportReading {
			return err
		}
		i.State, i.EndedAt, i.Chunks, i.Fault = lms.ImportFailed, s.now(), 0, lms.TypeOf(cause)
		if err := tx.DropChunks(ctx, id); err != nil {
			return err
		}
		return tx.UpdateImport(ctx, i)
	})
	if err != nil {
		s.log.WarnContext(ctx, "an import that could not be read was not removed; it will be later", "import", id, "error", err)
	}
}

// chunksAtOnce is how many chunks are stored in one transaction.
const chunksAtOnce = 5

// guessRows is how many rows are looked at to find the addresses in a list without
// headings.
const guessRows = 50

// readRows stores the rows of a list. It holds a few chunks at a time.
func (s *Service) readRows(ctx context.Context, n NewImport, i *lms.Import) (err error) {
	var t *rosterfile.Table
	if n.File != nil {
		t, err = rosterfile.Open(n.File)
	} else {
		t, err = rosterfile.OpenText(n.Text)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	var waiting []lms.ImportChunk
	chunk := lms.ImportChunk{ImportID: i.ID, Step: lms.ChunkRead}
	var begin []rosterfile.Row
	store := func() error {
		err := s.storeRead(ctx, i.ID, waiting)
		waiting = waiting[:0]
		return err
	}
	flush := func() error {
		if len(chunk.Rows) == 0 {
			return nil
		}
		waiting = append(waiting, chunk)
		i.Chunks++
		chunk = lms.ImportChunk{ImportID: i.ID, Step: lms.ChunkRead, N: i.Chunks}
		if len(waiting) < chunksAtOnce {
			return nil
		}
		return store()
	}
	for first := true; ; first = false {
		row, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if first {
			heads, err := readHeading(i, row)
			if err != nil {
				return err
			}
			if heads {
				continue
			}
		}
		if len(begin) < guessRows {
			begin = append(begin, rosterfile.Row{Line: row.Line, Cells: slices.Clone(row.Cells)})
		}
		chunk.Rows = append(chunk.Rows, lms.ImportRow{Line: row.Line, Cells: withoutEnd(row.Cells)})
		i.Rows++
		if len(chunk.Rows) == chunkRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if i.Rows == 0 {
		return lms.Invalid("no-rows", "file", "There is nobody in this list: it has headings and no rows.")
	}
	if err := flush(); err != nil {
		return err
	}
	if err := store(); err != nil {
		return err
	}
	return s.haveRead(ctx, i, begin)
}

// withoutEnd copies cells without the empty ones at the end.
func withoutEnd(cells []string) []string {
	n := len(cells)
	for n > 0 && cells[n-1] == "" {
		n--
	}
	return slices.Clone(cells[:n])
}

var errImportOver = lms.Errorf(lms.CodeConflict, "import-over", "This list is over and done with. Upload it again to carry it out anew.")

// storeRead stores rows as they are read, and says that the reading goes on, unless
// the import was thrown away meanwhile or read by another.
func (s *Service) storeRead(ctx context.Context, id int64, chunks []lms.ImportChunk) error {
	if len(chunks) == 0 {
		return nil
	}
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		is, ok, err := tx.LockImport(ctx, id)
		if err != nil {
			return err
		}
		if !ok || is.State != lms.ImportReading {
			return errImportOver
		}
		for i := range chunks {
			if err := tx.PutChunk(ctx, &chunks[i]); err != nil {
				return err
			}
		}
		return tx.RenewImport(ctx, id, "", s.now().Add(leaseFor))
	})
}

func (s *Service) storeChunks(ctx context.Context, chunks []lms.ImportChunk) error {
	if len(chunks) == 0 {
		return nil
	}
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		for i := range chunks {
			if err := tx.PutChunk(ctx, &chunks[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// haveRead ends the reading: with the columns found, or a question about them.
func (s *Service) haveRead(ctx context.Context, i *lms.Import, begin []rosterfile.Row) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		is, ok, err := tx.LockImport(ctx, i.ID)
		if err != nil {
			return err
		}
		if !ok || is.State != lms.ImportReading {
			return errImportOver
		}
		state := lms.ImportChecking
		if len(i.Heading) == 0 {
			i.Heading = make([]string, width(begin)) // no headings, and so many columns
		}
		remembered, known, err := tx.RememberedColumns(ctx, i.CourseID, headingFingerprint(i))
		if err != nil {
			return err
		}
		if known {
			i.Columns = remembered
		} else if i.Columns == nil {
			guess, ok := rosterfile.GuessColumns(begin)
			i.Columns = columnMap(guess)
			// With a single column there is nothing to ask.
			if !ok || width(begin) > 1 {
				state = lms.ImportColumns
			}
		}
		i.State = state
		if err := tx.ReturnImport(ctx, i.ID, "", s.now()); err != nil {
			return err
		}
		return tx.UpdateImport(ctx, *i)
	})
}

func width(rows []rosterfile.Row) (n int) {
	for _, r := range rows {
		n = max(n, len(withoutEnd(r.Cells)))
	}
	return n
}

func columnMap(c rosterfile.Columns) map[string]int {
	m := make(map[string]int, len(c))
	for f, i := range c {
		m[string(f)] = i
	}
	return m
}

// readHeading tells whether a first row holds headings, and takes them. A row with
// an address in it is a person.
func readHeading(i *lms.Import, row rosterfile.Row) (bool, error) {
	columns, found, err := rosterfile.FindColumns(row)
	if err != nil {
		return false, err
	}
	cells := withoutEnd(row.Cells)
	if !found && (len(cells) < 2 || slices.ContainsFunc(cells, func(c string) bool { return strings.Contains(c, "@") })) {
		return false, nil
	}
	i.Heading = make([]string, 0, len(row.Cells))
	for _, c := range cells {
		i.Heading = append(i.Heading, lms.Clip(c, 80))
	}
	if found {
		i.Columns = columnMap(columns)
	}
	return true, nil
}

// headingFingerprint is what lists of the same make have in common: the headings,
// or without any how many columns there are.
func headingFingerprint(i *lms.Import) string {
	parts := make([]string, len(i.Heading))
	for n, h := range i.Heading {
		parts[n] = lms.FoldSearch(strings.TrimSpace(h))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x1f")))
	return hex.EncodeToString(sum[:16])
}

// For how long a list that came in half, and one that nobody carried out, is kept.
const (
	halfImportLife   = time.Hour
	unusedImportLife = 14 * 24 * time.Hour
)

// For how long what a list said is kept after it is over: the report can be read, and
// the list be undone, so long.
const importRowsLife = 180 * 24 * time.Hour

// dropOldRows removes the rows of lists that were over long ago. What the lists did
// stands in the courses and in the audit.
func (s *Service) dropOldRows(ctx context.Context) error {
	before := s.now().Add(-importRowsLife)
	ids, err := s.store.Reader().OldImports(ctx, before)
	if err != nil {
		return err
	}
	for _, id := range ids {
		err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			i, ok, err := tx.LockImport(ctx, id)
			if err != nil || !ok || i.State.Working() || !i.EndedAt.Before(before) {
				return err
			}
			i.Chunks = 0
			if err := tx.DropChunks(ctx, id); err != nil {
				return err
			}
			return tx.UpdateImport(ctx, i)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dropStaleImports removes the rows of lists that came to nothing.
func (s *Service) dropStaleImports(ctx context.Context) error {
	now := s.now()
	ids, err := s.store.Reader().StaleImports(ctx, now.Add(-halfImportLife), now.Add(-unusedImportLife))
	if err != nil {
		return err
	}
	for _, id := range ids {
		err := s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			i, ok, err := tx.LockImport(ctx, id)
			if err != nil || !ok || i.State != lms.ImportReading && i.State != lms.ImportReady && i.State != lms.ImportColumns {
				return err
			}
			if i.State != lms.ImportReading {
				i.Fault = "expired"
			}
			i.State, i.EndedAt, i.Chunks, i.Counts = lms.ImportCanceled, now, 0, nil
			if err := tx.DropChunks(ctx, id); err != nil {
				return err
			}
			return tx.UpdateImport(ctx, i)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
