package lang

// Class lists on their way into a course.
func init() {
	italian.add(entries{
		"%q is neither a privilege nor a role of this course.":                                               "%q non è né un privilegio né un ruolo di questo corso.",
		"%s owns this course. A list does not take that away: do it on the person's page.":                   "%s è proprietario di questo corso. Un elenco non glielo toglie: fallo nella pagina della persona.",
		"An owner holds everything: leave the privileges empty.":                                             "Un proprietario ha tutto: lascia vuoti i privilegi.",
		"An owner is made by the role, and not by privileges.":                                               "Proprietari si diventa con il ruolo, e non con i privilegi.",
		"An owner is there for all of the course and all the time: leave the dates empty.":                   "Un proprietario c'è per tutto il corso e sempre: lascia vuote le date.",
		"Column %d cannot hold two things.":                                                                  "La colonna %d non può contenere due cose.",
		"Decide for one of: sure, file, leave.":                                                              "Decidi per uno di questi: sure, file, leave.",
		"Is in this course already, in a section in which you do not work.":                                  "È già in questo corso, in un gruppo in cui non lavori.",
		"Owns the course by now. A list does not take that away.":                                            "Nel frattempo è proprietario del corso. Un elenco non glielo toglie.",
		"Row %d: this is more than %d characters.":                                                           "Riga %d: sono più di %d caratteri.",
		"Say which column holds the e-mail addresses.":                                                       "Indica quale colonna contiene gli indirizzi e-mail.",
		"Somebody has set this by hand, so it stays unless you take the list's values.":                      "Qualcuno lo ha impostato a mano, quindi resta così se non prendi i valori dell'elenco.",
		"Stands on line %s already, with something else. Decide for one of the two and leave the other out.": "Sta già alla riga %s, con altri valori. Decidi per una delle due e tralascia l'altra.",
		"Stands on line %s already.":                                                                         "Sta già alla riga %s.",
		"There is no address in this row.":                                                                   "In questa riga non c'è un indirizzo.",
		"There is no column %d.":                                                                             "Non c'è una colonna %d.",
		"There is no such field: %q.":                                                                        "Non c'è un tale campo: %q.",
		"There is nobody in this list: it has headings and no rows.":                                         "In questo elenco non c'è nessuno: ha le intestazioni e nessuna riga.",
		"These are %d rows: at most %d can be corrected at once.":                                            "Sono %d righe: se ne possono correggere al massimo %d alla volta.",
		"This is not an address of this school, and nobody with it is known here. Is it right?":              "Non è un indirizzo di questa scuola, e qui nessuno lo ha. È giusto?",
		"This list has changed nothing, so there is nothing to undo.":                                        "Questo elenco non ha cambiato nulla, quindi non c'è nulla da annullare.",
		"This list has no column for %q.":                                                                    "Questo elenco non ha una colonna per %q.",
		"This list has no row %d.":                                                                           "Questo elenco non ha una riga %d.",
		"This list is being carried out. Stop it first, or wait until it is done.":                           "Questo elenco è in corso. Prima fermalo, o aspetta che sia finito.",
		"This list is over and done with. Upload it again to carry it out anew.":                             "Questo elenco è concluso. Caricalo di nuovo per eseguirlo di nuovo.",
		"This list is still being checked. Wait until that is done.":                                         "Questo elenco è ancora in controllo. Aspetta che sia finito.",
		"This list would take %d people out of the course. Look at them, and confirm that number.":           "Questo elenco toglierebbe dal corso %d persone. Guardale, e conferma quel numero.",
		"You need the privilege %q in this course to give privileges.":                                       "Per assegnare privilegi serve il privilegio %q in questo corso.",
		"Has privileges here and no role. Change them on the person's page.":                                 "Qui ha privilegi e nessun ruolo. Cambiali nella pagina della persona.",
		"import": "importazione",
	})
}
