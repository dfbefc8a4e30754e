package lang

// The roles of a course.
func init() {
	italian.add(entries{
		"A role says what somebody may do before anything is switched on or off for them alone.": "Un ruolo dice che cosa si può fare, prima di attivare o disattivare qualcosa per una sola persona.",
		"Roles of this course": "Ruoli di questo corso", "Role": "Ruolo", "May do": "Può", "Change": "Modifica", "Built in": "Predefinito", "Make a role": "Crea un ruolo",
		"Make the role": "Crea il ruolo", "Name": "Nome", "Such as Lab tutor": "Ad esempio Tutor di laboratorio", "Whoever has it may": "Chi lo ha può", "Role %s": "Ruolo %s",
		"%d person has this role. A change is for all of them, at once.":  "%d persona ha questo ruolo. Una modifica vale subito anche per lei.",
		"%d people have this role. A change is for all of them, at once.": "%d persone hanno questo ruolo. Una modifica vale subito per tutte.",
		"Delete the role": "Elimina il ruolo", "Nobody has it.": "Non lo ha nessuno.",
	})
}
