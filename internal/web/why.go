package web

import (
	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// sentence answers "why may they do this?" in plain words.
func sentence(e access.Explanation, r *service.AccessReport) string {
	role := r.Member.RoleName()
	switch e.Because {
	case access.BecauseAdmin:
		return "Yes, as an administrator of the whole site."
	case access.BecauseOwner:
		return "Yes, as an owner: owners of a course may do everything in it."
	case access.BecauseRole:
		return "Yes, it comes with the role " + role + "."
	case access.BecauseAllowed:
		return "Yes, it was given" + byWhom(r) + "."
	case access.BecauseImplied:
		return "Yes, because “" + e.Via.Label() + "” needs it."
	case access.BecauseDenied:
		if e.Via != e.Privilege {
			return "No: “" + e.Via.Label() + "”, which it needs, was taken away" + byWhom(r) + "."
		}
		return "No, it was taken away" + byWhom(r) + "."
	}
	if r.Member.Enrollment == nil {
		return "No, nothing gives it."
	}
	return "No, the role " + role + " does not give it, and nobody has given it besides."
}

func byWhom(r *service.AccessReport) string {
	if r.GrantedBy == nil || r.Member.Grant == nil {
		return ""
	}
	return " by " + actorName(r.GrantedBy) + " on " + day(r.Member.Grant.GrantedAt)
}

// actorName is what pages call whoever did something.
func actorName(u *lms.User) string {
	if u.ID == lms.SystemUserID {
		return "Matricula"
	}
	return callName(u)
}

// panelName is the heading of a panel.
func panelName(p panelView) string {
	if p.Member != nil {
		return callName(&p.Member.User)
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
