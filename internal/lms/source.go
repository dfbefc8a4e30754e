package lms

import "time"

// RosterSource is where rosters come from by themselves.
type RosterSource struct {
	ID        int64
	Name      string
	Kind      SourceKind
	Place     string // a folder below the one that the operator has set, or an https address
	CourseID  int64  // the course whose list it brings; 0: OneRoster bundles, for any courses
	Role      string // of rows that say none
	Minutes   int64  // between two looks
	Exact     bool   // whom it brought and does not name any more leaves
	Brake     int64  // the share, in percent, above which those who would leave wait for a person
	Enabled   bool
	CreatedBy int64 // on whose behalf it works
	CreatedAt time.Time
	NextAt    time.Time
}

// SourceKind is how a source is looked at.
type SourceKind string

// The kinds.
const (
	SourceUpload SourceKind = "upload" // somebody brings each bundle
	SourceFolder SourceKind = "folder"
	SourceHTTPS  SourceKind = "https"
)

// Limits of sources.
const (
	MinSourceMinutes = 5
	MaxSourceMinutes = 7 * 24 * 60
	MaxSources       = 200
)

// SourceRun is one look at a source with what became of it.
type SourceRun struct {
	ID          int64
	SourceID    int64
	StartedBy   int64
	StartedAt   time.Time
	EndedAt     time.Time
	State       RunState
	Name        string // of the file
	Fingerprint string
	Counts      ImportCount
	People      int64 // in the courses, by lists, before it
	Courses     int64
	Notes       []Text // what it could not use, the first hundred
}

// RunState is how far a run has come.
type RunState string

// The states.
const (
	RunReading   RunState = "reading"
	RunChecking  RunState = "checking"
	RunWaiting   RunState = "waiting" // the brake: a person has to look at who would leave
	RunRunning   RunState = "running"
	RunDone      RunState = "done"
	RunUnchanged RunState = "unchanged" // the same file as the time before
	RunFailed    RunState = "failed"
	RunCanceled  RunState = "canceled"
)

// Open tells whether a run has not ended.
func (s RunState) Open() bool {
	return s == RunReading || s == RunChecking || s == RunWaiting || s == RunRunning
}

// MaxRunNotes is how many notes a run keeps.
const MaxRunNotes = 100

// Braked tells whether so many would leave that a person has to look first: more
// than the share of those who are there, and more than a handful.
func (s *RosterSource) Braked(leaving, people int64) bool {
	const handful = 3
	return leaving > handful && leaving*100 > people*s.Brake
}
