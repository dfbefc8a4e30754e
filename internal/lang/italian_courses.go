package lang

// Courses and the reader's own account.
func init() {
	italian.add(entries{
		"%d person":                 "%d persona",
		"%d people":                 "%d persone",
		"%d has not signed in yet":  "%d non ha ancora effettuato l'accesso",
		"%d have not signed in yet": "%d non hanno ancora effettuato l'accesso",
		"Choose from the list how long the token is to work.": "Scegli dall'elenco per quanto tempo il token deve funzionare.",
		"Choose what the token may be used for.":              "Scegli per che cosa si può usare il token.",
		"One of the courses is none. Choose from the list.":   "Uno dei corsi non esiste. Scegli dall'elenco.",
	})
}
