package lms

import (
	"slices"
	"time"
)

// LimitName is the stable name of a limit.
type LimitName string

// The limits (ADR 0044).
const (
	LimitNamingPerson  LimitName = "naming-person"
	LimitNamingCourse  LimitName = "naming-course"
	LimitNamingDomain  LimitName = "naming-domain"
	LimitNoticesPerson LimitName = "notices-person"
	LimitNoticesCourse LimitName = "notices-course"
	LimitNoticesDomain LimitName = "notices-domain"
	LimitInvitations   LimitName = "open-invitations"
	LimitCodes         LimitName = "codes-address"
	LimitFinding       LimitName = "finding-person"
	LimitTokens        LimitName = "tokens-person"
	LimitFailures      LimitName = "token-failures-network"
	LimitFailuresOf    LimitName = "token-failures-client"
)

// LimitPer is what a limit is counted for.
type LimitPer string

// What limits are counted for. The first three are those for which they can be lifted.
const (
	PerPerson  LimitPer = "person"
	PerCourse  LimitPer = "course"
	PerDomain  LimitPer = "domain"
	PerAddress LimitPer = "address"
	PerNetwork LimitPer = "network"
	PerClient  LimitPer = "client"
)

// Limit is how often something may happen, to one subject, on all nodes together.
type Limit struct {
	Name    LimitName
	Per     LimitPer
	Period  time.Duration // begins with the first use; 0: what counts is how many there are at the moment
	Default int64
	Type    string // of the problem
	Label   Term

	exceeded Term // what is too much; a format for the limit and what it would have been
}

// MaxLimit is the most that an administrator can set.
const MaxLimit = 10_000_000

var limits = []Limit{
	{
		LimitNamingPerson, PerPerson, 24 * time.Hour, 1000, "too-many-named", "People whom one person names",
		"One person can name at most %d people a day whom nobody knew here; with these it would be %d.",
	},
	{
		LimitNamingCourse, PerCourse, 24 * time.Hour, 2000, "too-many-named", "People who are named in one course",
		"In one course at most %d people a day can be named whom nobody knew here; with these it would be %d.",
	},
	{
		LimitNamingDomain, PerDomain, 24 * time.Hour, 1000, "too-many-named", "People who are named with addresses of one outside domain",
		"At most %d people a day can be named with addresses of one domain outside this school; with these it would be %d.",
	},
	{
		LimitNoticesPerson, PerPerson, 24 * time.Hour, 2000, "too-many-notices", "People whom one person tells by mail",
		"One person can tell at most %d people a day by mail; with these it would be %d.",
	},
	{
		LimitNoticesCourse, PerCourse, 24 * time.Hour, 5000, "too-many-notices", "People of one course who are told by mail",
		"In one course at most %d people a day can be told by mail; with these it would be %d.",
	},
	{
		LimitNoticesDomain, PerDomain, 24 * time.Hour, 1000, "too-many-notices", "People at one outside domain who are told by mail",
		"At most %d people a day can be told by mail at one domain outside this school; with these it would be %d.",
	},
	{
		LimitInvitations, PerPerson, 0, 300, "too-many-invitations", "People outside whom one person has told and who have not come",
		"So many people outside this school whom you told by mail have not come, or do not want to, that you can have at most %d open invitations to people outside; with these it would be %d.",
	},
	{
		LimitCodes, PerAddress, time.Hour, 6, "too-many-codes", "Codes to one address",
		"At most %d codes an hour are sent to one address; with this one it would be %d. Look for them in your mail, also among the spam.",
	},
	{
		LimitFinding, PerPerson, time.Minute, 120, "too-many-searches", "Searches for people by one person",
		"One person can search for people at most %d times a minute; with this search it would be %d.",
	},
	{
		LimitTokens, PerClient, time.Hour, 300, "too-many-token-requests", "Tokens for one person in one program",
		"One program gets tokens for one person at most %d times an hour; with this time it would be %d.",
	},
	{
		LimitFailures, PerNetwork, 5 * time.Minute, 5000, "too-many-failures", "Unknown tokens from one network",
		"More than %d unknown tokens have come from this network within a few minutes (%d). Tokens that are known work as ever.",
	},
	{
		LimitFailuresOf, PerClient, 5 * time.Minute, 20_000, "too-many-failures", "Unknown tokens from one program",
		"More than %d unknown tokens have come from this program within a few minutes (%d). Tokens that are known work as ever.",
	},
}

// Limits lists all limits.
func Limits() []Limit { return slices.Clone(limits) }

// LimitOf finds a limit by its name.
func LimitOf(name LimitName) (Limit, bool) {
	i := slices.IndexFunc(limits, func(l Limit) bool { return l.Name == name })
	if i < 0 {
		return Limit{}, false
	}
	return limits[i], true
}

// CanLift tells whether an administrator can lift it for one subject.
func (l *Limit) CanLift() bool { return l.Per == PerPerson || l.Per == PerCourse || l.Per == PerDomain }

// Use is how far a limit is used by one subject.
type Use struct {
	Amount int64     // the limit
	Used   int64     // with what is asked for
	Asked  int64     // the part of Used that is asked for now
	Free   time.Time // when the period ends; zero where there is none
	Done   int64     // what was done before of the same request, and stays
}

// WithoutPeriod is after how long it makes sense to try again what no period frees.
const WithoutPeriod = time.Hour

// Exceeded is the error of going over a limit.
func (l *Limit) Exceeded(u Use, now time.Time) *Error {
	wait := max(u.Free.Sub(now), time.Second)
	var when Text
	switch {
	case l.Period == 0:
		wait, when = WithoutPeriod, Say("It grows with each of them who comes.")
	case u.Asked > u.Amount:
		when = Say("That is more than ever fits at once: divide the list.")
	case wait < 2*time.Minute:
		when = Say("It is free again in %d seconds.", int64((wait+time.Second-1)/time.Second))
	case wait < 2*time.Hour:
		when = Say("It is free again in %d minutes.", int64((wait+time.Minute-1)/time.Minute))
	default:
		when = Say("It is free again at %s.", Moment{u.Free})
	}
	done := Say("Nothing was changed.")
	if u.Done > 0 {
		done = Say("Before that, %d were told.", u.Done)
	}
	e := Errorf(CodeTooMany, l.Type, "%s %s %s %s", Say(string(l.exceeded), u.Amount, u.Used), done, when, l.cure())
	e.RetryAfter = wait
	return e
}

// cure is who can help.
func (l *Limit) cure() Text {
	switch l.Per {
	case PerPerson:
		return Say("An administrator can lift this limit for you.")
	case PerCourse:
		return Say("An administrator can lift this limit for the course.")
	case PerDomain:
		return Say("An administrator can lift this limit for the domain.")
	}
	return Say("An administrator can raise this limit for everybody.")
}

// LimitLift is that a limit does not hold for one person, course or domain until a
// time.
type LimitLift struct {
	ID       int64
	Limit    LimitName
	UserID   int64 // SystemUserID where it is not for a person
	CourseID int64 // 0 where it is not for a course
	Domain   string
	Reason   string
	LiftedBy int64
	LiftedAt time.Time
	Until    time.Time
	EndedBy  int64     // whoever lifted it, until it is ended early
	EndedAt  time.Time // zero unless it was ended early
}

// MaxLiftDays is for how long a limit can be lifted.
const MaxLiftDays = 366

// MaxLiftReasonRunes is the longest reason.
const MaxLiftReasonRunes = 200

// How many more open invitations to people outside each person is worth who came, and
// how many fewer each who objected.
const (
	worthOfAccepted = 3
	costOfObjected  = 20
)

// OpenInvitations is how many people outside somebody can have told who have not come:
// the limit, more with each who came, fewer with each who objected.
func OpenInvitations(limit, accepted, objected int64) int64 {
	return max(0, limit+worthOfAccepted*accepted-costOfObjected*objected)
}
