package lms

import "time"

// Import is a class list on its way into a course: it is read, checked, looked
// over by a person and then carried out.
type Import struct {
	ID          int64
	CourseID    int64
	CreatedBy   int64
	CreatedAt   time.Time
	Name        string // of the file; empty for what was pasted
	Fingerprint string // of the content
	State       ImportState
	Options     ImportOptions
	Heading     []string       // the first row, when it holds headings; else as many empty texts as there are columns
	Columns     map[string]int // which column holds which field, from 0; see rosterfile.Field
	Rows        int64          // of the file
	Chunks      int64
	Done        int64       // rows with which the present step is through
	Counts      ImportCount // of plans until it begins, then of results
	NewSections []string    // that it would make
	Fault       string      // the type of the problem that ended it
	CheckedAt   time.Time
	StartedBy   int64 // whoever brought it, until it begins
	StartedAt   time.Time
	EndedAt     time.Time
	RunID       int64 // of a roster source that brought it; 0: a person did
	UndoneBy    int64 // whoever brought it, until it is undone
	Names       int64 // people whom nobody knows yet and whom it would name, as of the check

	// What a list that is being carried out waits for, until it is tried again.
	PausedFor   LimitName // empty: it does not wait
	PausedUntil time.Time
}

// ImportState is how far an import has come.
type ImportState string

// The states. From done and canceled one can undo; ready, columns and checking can
// be thrown away.
const (
	ImportReading  ImportState = "reading"  // its rows are being stored
	ImportColumns  ImportState = "columns"  // somebody has to say which column holds the addresses
	ImportChecking ImportState = "checking" // a node finds out what each row would do
	ImportReady    ImportState = "ready"    // a person looks it over; nothing is written yet
	ImportRunning  ImportState = "running"
	ImportDone     ImportState = "done"
	ImportCanceled ImportState = "canceled" // stopped, or thrown away
	ImportFailed   ImportState = "failed"   // whoever began it may no longer, or it could not be read
	ImportUndoing  ImportState = "undoing"
	ImportUndone   ImportState = "undone"
)

// Working tells whether a node has to do with it.
func (s ImportState) Working() bool {
	return s == ImportReading || s == ImportChecking || s == ImportRunning || s == ImportUndoing
}

// Begun tells whether it has written, or may have written, to the roster.
func (s ImportState) Begun() bool {
	return s == ImportRunning || s == ImportDone || s == ImportUndoing || s == ImportUndone
}

// Paused tells whether a list that is being carried out waits for a limit.
func (i *Import) Paused() bool { return i.State == ImportRunning && i.PausedFor != "" }

// Pause says what a list waits for.
func (i *Import) Pause() Text {
	l, ok := LimitOf(i.PausedFor)
	if !ok {
		return Text{}
	}
	return Say("The list waits: the limit “%s” is used up. It goes on by itself at %s, and nothing of it is lost. An administrator can lift the limit before.", l.Label, Moment{i.PausedUntil})
}

// ImportOptions is how a list is meant.
type ImportOptions struct {
	Role           string `json:"role"`                      // a role's key, for rows that say none
	Exact          bool   `json:"exact,omitempty"`           // whoever has a role of the list and does not stand in it leaves
	ConfirmOutside bool   `json:"confirm_outside,omitempty"` // unknown addresses outside the naming domains are meant
	Sure           bool   `json:"sure,omitempty"`            // addresses that look like slips are right
	Imported       bool   `json:"imported,omitempty"`        // with Exact: only whom a list has brought leaves
	TakeFile       bool   `json:"take_file,omitempty"`       // where a person has set another value, the list's is taken
	DateOrder      int    `json:"date_order,omitempty"`      // see rosterfile.DateOrder; found out by the check
}

// ImportCount counts rows by plan or result.
type ImportCount map[string]int64

// Add adds another count.
func (c ImportCount) Add(o ImportCount) {
	for k, n := range o {
		c[k] += n
	}
}

// Plans of rows: what each would do.
const (
	PlanAdd      = "add"      // somebody who is not in the course comes into it
	PlanAlready  = "already"  // is there, as the list says
	PlanChange   = "change"   // is there, and something changes
	PlanConflict = "conflict" // is there, and a person has set another value
	PlanAsk      = "ask"      // perhaps a slip: somebody has to say that it is right
	PlanRefused  = "refused"  // cannot be carried out
	PlanLeft     = "left"     // somebody chose to leave it out
	PlanRemove   = "remove"   // is in the course and not in the list
)

// Results of rows: what each did. "already", "refused" and "left" are as above; a
// conflict or a question that nobody decided is left.
const (
	DidName   = "named"    // nobody knew them before
	DidEnroll = "enrolled" // known before, and in the course now
	DidChange = "changed"
	DidRemove = "removed"
)

// What somebody decided about a row.
const (
	ChooseSure  = "sure"  // the address is right
	ChooseFile  = "file"  // take the list's values
	ChooseLeave = "leave" // leave the row out
)

// ImportRow is one row of a list, with what becomes of it. The short names are how
// it is stored.
type ImportRow struct {
	Line   int           `json:"l,omitempty"` // in the file; 0 for who would leave
	Cells  []string      `json:"c,omitempty"`
	Choice string        `json:"k,omitempty"`
	Plan   string        `json:"p,omitempty"`
	Reason string        `json:"r,omitempty"` // the type of a problem, or why a row is asked about
	Other  string        `json:"o,omitempty"` // the address that was perhaps meant
	Text   Text          `json:"t,omitzero"`  // what Reason says, for people
	Cell   int           `json:"e,omitempty"` // the column at fault, from 1
	Differ []Differ      `json:"d,omitempty"` // what it would change, or in what a person does not agree with it
	UserID int64         `json:"u,omitempty"`
	Result string        `json:"x,omitempty"`
	Before *ImportBefore `json:"b,omitempty"` // what undoing restores
	Undone string        `json:"z,omitempty"` // "yes", or why it stays
}

// Differ is one value that a row would change.
type Differ struct {
	Field  string `json:"f"`           // a rosterfile.Field
	Is     string `json:"i,omitempty"` // as it is, in the words of lists
	Would  string `json:"w"`           // as the list has it
	ByHand bool   `json:"h,omitempty"` // a person has set what is there
}

// ImportBefore is somebody's place before an import changed it, and what has to
// hold so that the change can be undone.
type ImportBefore struct {
	Role      string `json:"r,omitempty"`
	Section   int64  `json:"s,omitempty"`
	Number    string `json:"n,omitempty"`
	Begins    string `json:"b,omitempty"` // RFC 3339
	Ends      string `json:"e,omitempty"`
	ByHand    Fields `json:"h,omitempty"`
	Granted   bool   `json:"g,omitempty"` // privileges were given beside the role; there were none
	GrantedAt int64  `json:"t,omitempty"` // when, in microseconds of Unix time
}

// ImportChunk is some consecutive rows of an import, which are carried out
// together.
type ImportChunk struct {
	ImportID int64
	N        int64 // from 0
	Leaving  bool  // holds who would leave, and not rows of the file
	Step     ChunkStep
	Counts   ImportCount
	Rows     []ImportRow
}

// ChunkStep is how far a chunk has come.
type ChunkStep string

// The steps.
const (
	ChunkRead    ChunkStep = "read"
	ChunkChecked ChunkStep = "checked"
	ChunkDone    ChunkStep = "done"
	ChunkUndone  ChunkStep = "undone"
)
