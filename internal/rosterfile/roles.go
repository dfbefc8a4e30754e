package rosterfile

import "matricula/internal/lms"

// roleWords are what lists in English and Italian call the preset roles, folded, by
// the letters and digits alone.
var roleWords = map[string][]string{
	lms.RoleOwner:     {"owner", "courseowner", "proprietario", "proprietaria", "titolare"},
	lms.RoleTeacher:   {"teacher", "instructor", "lecturer", "professor", "editingteacher", "faculty", "docente", "insegnante", "professore", "professoressa"},
	lms.RoleAssistant: {"assistant", "ta", "teachingassistant", "tutor", "aide", "assistente", "esercitatore", "esercitatrice"},
	lms.RoleObserver:  {"observer", "guest", "auditor", "osservatore", "osservatrice", "ospite", "uditore", "uditrice"},
	lms.RoleStudent:   {"student", "learner", "pupil", "participant", "studente", "studentessa", "alunno", "alunna", "allievo", "allieva", "partecipante"},
}

// FindRole finds the role that a cell means: by the key or the name of one of the
// course's roles, or by what lists call the presets.
func FindRole(roles []lms.Role, cell string) (lms.Role, bool) {
	folded := foldHeading(cell)
	if folded == "" {
		return lms.Role{}, false
	}
	for _, r := range roles {
		if foldHeading(r.Key) == folded || foldHeading(r.Name) == folded {
			return r, true
		}
	}
	for _, r := range roles {
		if !r.Preset {
			continue
		}
		for _, word := range roleWords[r.Key] {
			if word == folded {
				return r, true
			}
		}
	}
	return lms.Role{}, false
}
