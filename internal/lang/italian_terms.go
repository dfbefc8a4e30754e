package lang

// Academic years and terms.
func init() {
	italian.add(entries{
		"term": "periodo", "Term": "Periodo", "Terms": "Periodi", "Term %s": "Periodo %s", "Term (optional)": "Periodo (facoltativo)", "No term": "Nessun periodo", "Terms of %s": "Periodi di %s",
		"Academic year": "Anno accademico", "Academic year %s": "Anno accademico %s", "Academic years and terms": "Anni accademici e periodi", "All of %s": "Tutto il %s", "Earlier terms": "Periodi precedenti",
		"%d archived course": "%d corso archiviato", "%d archived courses": "%d corsi archiviati", "%d course all year": "%d corso per tutto l'anno", "%d courses all year": "%d corsi per tutto l'anno",
		"Add a term": "Aggiungi un periodo", "Add the term": "Aggiungi il periodo", "Make an academic year": "Crea un anno accademico", "Make the academic year": "Crea l'anno accademico",
		"Days": "Giorni", "First day": "Primo giorno", "Last day": "Ultimo giorno", "Now": "In corso", "in %s": "in %s", "Such as 2026/27": "Ad esempio 2026/27", "Such as Autumn 2026": "Ad esempio Autunno 2026",
		"Tells everybody when the course is taught":                                                    "Dice a tutti quando si tiene il corso",
		"There are no such courses in this term.":                                                      "In questo periodo non ci sono corsi di questo tipo.",
		"There is no academic year yet":                                                                "Non c'è ancora un anno accademico",
		"All of its terms lie within its days.":                                                        "Tutti i suoi periodi stanno entro questi giorni.",
		"It lies within the academic year %s, %s.":                                                     "Sta entro l'anno accademico %s, %s.",
		"The academic year is ready. Next, add its terms.":                                             "L'anno accademico è pronto. Ora aggiungi i suoi periodi.",
		"The term is ready. Courses are put into it in their settings.":                                "Il periodo è pronto. I corsi vi si mettono dalle loro impostazioni.",
		"Make the first one below, with its first and its last day. Then you can add its terms.":       "Crea il primo qui sotto, con il primo e l'ultimo giorno. Poi potrai aggiungere i suoi periodi.",
		"It has no terms yet. Add them here, or leave it at that if your courses are taught all year.": "Non ha ancora periodi. Aggiungili qui, o lascialo così se i tuoi corsi durano tutto l'anno.",
		"Teachers choose a term in the settings of a course. It tells everybody when the course is taught; nothing opens or closes by it.": "I docenti scelgono un periodo nelle impostazioni del corso. Dice a tutti quando il corso si tiene; non apre né chiude nulla.",

		"Delete the academic year": "Elimina l'anno accademico", "Delete the term": "Elimina il periodo", "Deleted. No course was in it.": "Eliminato. Non conteneva corsi.", "No course is in it.": "Non contiene corsi.", "Show the courses": "Mostra i corsi",
		"It has %d term. Delete that one first.": "Ha %d periodo. Elimina prima quello.", "It has %d terms. Delete these first.": "Ha %d periodi. Elimina prima questi.",
		"%d course is in it. Choose another term, or none, in its settings first.":                "Contiene %d corso. Prima scegli un altro periodo, o nessuno, nelle sue impostazioni.",
		"%d courses are in it. Choose another term, or none, in the settings of each first.":      "Contiene %d corsi. Prima scegli un altro periodo, o nessuno, nelle impostazioni di ciascuno.",
		"%s still has courses (%d). Choose another term, or none, in the settings of each first.": "%s contiene ancora corsi (%d). Prima scegli un altro periodo, o nessuno, nelle impostazioni di ciascuno.",
		"%s still has terms (%d). Delete these first.":                                            "%s ha ancora periodi (%d). Elimina prima questi.",

		"A term needs a name, such as Autumn 2026.":                                                         "Un periodo ha bisogno di un nome, ad esempio Autunno 2026.",
		"An academic year needs a name, such as 2026/27.":                                                   "Un anno accademico ha bisogno di un nome, ad esempio 2026/27.",
		"This day cannot be read. Write it like 2026-10-01.":                                                "Questo giorno non si può leggere. Scrivilo come 2026-10-01.",
		"The last day has to come after the first.":                                                         "L'ultimo giorno deve venire dopo il primo.",
		"These are %d days, and a term has at most %d. Look at the years of both dates.":                    "Sono %d giorni, e un periodo ne ha al massimo %d. Controlla l'anno delle due date.",
		"These are %d days, and an academic year has at most %d. Look at the years of both dates.":          "Sono %d giorni, e un anno accademico ne ha al massimo %d. Controlla l'anno delle due date.",
		"%s begins on %s. A term cannot begin before its academic year.":                                    "%s inizia il %s. Un periodo non può iniziare prima del suo anno accademico.",
		"%s ends on %s. A term cannot end after its academic year.":                                         "%s finisce il %s. Un periodo non può finire dopo il suo anno accademico.",
		"%s begins on %s, before this day. Change that term first, or let the academic year begin earlier.": "%s inizia il %s, prima di questo giorno. Cambia prima quel periodo, o fai iniziare prima l'anno accademico.",
		"%s ends on %s, after this day. Change that term first, or let the academic year end later.":        "%s finisce il %s, dopo questo giorno. Cambia prima quel periodo, o fai finire più tardi l'anno accademico.",
		"%s already has a term called %s. Choose another name.":                                             "%s ha già un periodo chiamato %s. Scegli un altro nome.",
		"There is already an academic year called %s. Choose another name.":                                 "C'è già un anno accademico chiamato %s. Scegli un altro nome.",
		"There is no such academic year. Choose one from the list.":                                         "Questo anno accademico non esiste. Scegline uno dall'elenco.",
		"There is no such term. Choose one from the list, or none.":                                         "Questo periodo non esiste. Scegline uno dall'elenco, o nessuno.",

		"added to the academic calendar": "ha aggiunto al calendario accademico", "added to the academic calendar for": "ha aggiunto al calendario accademico per",
		"changed the academic calendar": "ha cambiato il calendario accademico", "changed the academic calendar for": "ha cambiato il calendario accademico per",
		"deleted from the academic calendar": "ha eliminato dal calendario accademico", "deleted from the academic calendar for": "ha eliminato dal calendario accademico per",
		"wanted to add to the academic calendar": "voleva aggiungere al calendario accademico", "wanted to change the academic calendar": "voleva cambiare il calendario accademico",
		"wanted to take something out of the academic calendar": "voleva togliere qualcosa dal calendario accademico", "something still belonged to it": "qualcosa vi apparteneva ancora",
	})
}
