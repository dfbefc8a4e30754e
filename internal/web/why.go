package web

import (
	"time"

	"matricula/internal/access"
	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// sentence answers "why may they do this?" in plain words.
func sentence(e access.Explanation, r *service.AccessReport) lms.Text {
	role := r.Member.RoleName()
	switch e.Because {
	case access.BecauseAdmin:
		return lms.Say("Yes, as an administrator of the whole site.")
	case access.BecauseOwner:
		return lms.Say("Yes, as an owner: owners of a course may do everything in it.")
	case access.BecauseRole:
		return lms.Say("Yes, it comes with the role %s.", role)
	case access.BecauseAllowed:
		if by, at, ok := whoGranted(r); ok {
			return lms.Say("Yes, it was given by %s on %s.", by, at)
		}
		return lms.Say("Yes, it was given.")
	case access.BecauseLimited:
		return lms.Say("No, since they are there for single sections.")
	case access.BecauseImplied:
		return lms.Say("Yes, because “%s” needs it.", e.Via.Label())
	case access.BecauseDenied:
		return denied(e, r)
	}
	if r.Member.Enrollment == nil {
		return lms.Say("No, nothing gives it.")
	}
	return lms.Say("No, the role %s does not give it, and nobody has given it besides.", role)
}

func denied(e access.Explanation, r *service.AccessReport) lms.Text {
	by, at, known := whoGranted(r)
	switch through := e.Via != e.Privilege; {
	case through && known:
		return lms.Say("No: “%s”, which it needs, was taken away by %s on %s.", e.Via.Label(), by, at)
	case through:
		return lms.Say("No: “%s”, which it needs, was taken away.", e.Via.Label())
	case known:
		return lms.Say("No, it was taken away by %s on %s.", by, at)
	}
	return lms.Say("No, it was taken away.")
}

func whoGranted(r *service.AccessReport) (by lms.Text, at time.Time, ok bool) {
	if r.GrantedBy == nil || r.Member.Grant == nil {
		return lms.Text{}, time.Time{}, false
	}
	return actorText(r.GrantedBy), r.Member.Grant.GrantedAt, true
}

// actorText is what pages call whoever did something.
func actorText(u *lms.User) lms.Text {
	if u.ID == lms.SystemUserID {
		return lms.Say("%s", "Matricula")
	}
	return callText(u)
}

func actorName(p *lang.Printer, u *lms.User) string { return p.Text(actorText(u)) }

// panelName is the heading of a panel.
func panelName(words *lang.Printer, p panelView) string {
	if p.Member != nil {
		return callName(words, &p.Member.User)
	}
	return p.Address.Display()
}

// panelAction is where a panel is sent: who may change the role alone has a
// form for that.
func panelAction(p panelView) string {
	if p.In && !p.MaySwitch {
		return personPath(p.CourseID, p.Member.User.ID, "/role")
	}
	return coursePath(p.CourseID, "/people/privileges")
}

// roleKind is how the badge of a role looks.
func roleKind(m lms.Member) string {
	if m.Staff() {
		return "staff"
	}
	return "role"
}
