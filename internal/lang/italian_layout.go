package lang

// What stands around every page, and what a page says after a change or an
// error.
func init() {
	italian.add(entries{
		"Skip to the content": "Vai al contenuto", "Main": "Principale", "My courses": "I miei corsi", "People": "Persone", "All courses": "Tutti i corsi",
		"Audit": "Registro", "My account:": "Il mio account:", "Sign out": "Esci", "Archived": "Archiviato", "Course": "Corso", "Overview": "Panoramica", "Roles": "Ruoli",
		"Settings": "Impostazioni", "Language": "Lingua", "Reference: %s": "Riferimento: %s",
		"Has not signed in yet": "Non ha ancora effettuato l'accesso", "Suspended": "Sospeso", "Erased": "Cancellato", "Service account": "Account di servizio",
		"This was not saved":                             "Non è stato salvato",
		"Go to my courses":                               "Vai ai miei corsi",
		"Go to the start page":                           "Vai alla pagina iniziale",
		"This page could not be made. Please try again.": "Non è stato possibile preparare questa pagina. Riprova.",

		"Saved.":                             "Salvato.",
		"Saved. They are in the course now.": "Salvato. Ora è nel corso.",
		"Nothing was changed: it already was like this.":                                       "Non è cambiato nulla: era già così.",
		"Saved. With nothing left to do here, this person is no longer in the course.":         "Salvato. Non avendo più nulla da fare qui, questa persona non è più nel corso.",
		"Removed from the course.":                                                             "Tolto dal corso.",
		"Your course is ready. You are its owner. Next, add your people.":                      "Il tuo corso è pronto e ne sei proprietario. Ora aggiungi le persone.",
		"Archived. The course can be read, but not changed.":                                   "Archiviato. Il corso si può leggere, ma non cambiare.",
		"Restored. The course can be changed again.":                                           "Ripristinato. Il corso si può cambiare di nuovo.",
		"The course is deleted.":                                                               "Il corso è stato eliminato.",
		"The role is ready to be given.":                                                       "Il ruolo è pronto per essere assegnato.",
		"Saved, for everybody who has this role.":                                              "Salvato, per tutti quelli che hanno questo ruolo.",
		"The role is deleted.":                                                                 "Il ruolo è stato eliminato.",
		"That browser is signed out.":                                                          "Quel browser è stato disconnesso.",
		"You are signed out everywhere else.":                                                  "Tutte le altre sessioni sono chiuse.",
		"The token is revoked: it no longer works.":                                            "Il token è stato revocato: non funziona più.",
		"Named. They can be found and given things now; their first sign-in will find it all.": "Fatto. Ora si può trovare questa persona e assegnarle qualcosa; al primo accesso troverà tutto.",
		"Suspended, and signed out everywhere.":                                                "Sospeso, e disconnesso ovunque.",
		"The account is restored.":                                                             "L'account è stato ripristinato.",
		"You are signed out.":                                                                  "Sei uscito.",

		"This could not be read": "Non è stato possibile leggerlo", "You may not do this": "Non puoi farlo", "Not found": "Non trovato", "This page is for a form": "Questa pagina è per un modulo",
		"This cannot be done now": "Adesso non si può fare", "This is too much at once": "È troppo in una volta", "This cannot be accepted": "Non può essere accettato",
		"That was a lot at once": "Troppe richieste in una volta", "Please try again in a moment": "Riprova tra un momento", "Something went wrong here": "Qui qualcosa è andato storto",
		"This is our fault, and it was noted. Nothing was half done. Please try again; if it happens again, tell the administrator of this site the reference below.": "È colpa nostra, e ne abbiamo preso nota. Nulla è rimasto a metà. Riprova; se succede ancora, comunica all'amministratore di questo sito il riferimento qui sotto.",
		"This address is for a form. Go back to the page before and use its buttons.":                                                                                 "Questo indirizzo è per un modulo. Torna alla pagina precedente e usa i suoi pulsanti.",
		"This address is for a form of this site. Go back to the page before and use its buttons.":                                                                    "Questo indirizzo è per un modulo di questo sito. Torna alla pagina precedente e usa i suoi pulsanti.",
		"There is no such page, or it is not yours to see.":                                                                                                           "Questa pagina non esiste, oppure non puoi vederla.",
		"This is more than one form can take (%d KB). Split it into smaller pieces.":                                                                                  "È più di quanto un modulo possa contenere (%d KB). Dividilo in parti più piccole.",
		"The form arrived damaged. Go back, reload the page and send it again.":                                                                                       "Il modulo è arrivato danneggiato. Torna indietro, ricarica la pagina e invialo di nuovo.",
		"The form arrived with a field twice. Go back, reload the page and send it again.":                                                                            "Il modulo è arrivato con un campo ripetuto. Torna indietro, ricarica la pagina e invialo di nuovo.",
		"This form was sent before with something else in it. If you want to make another one, send it again now.":                                                    "Questo modulo è già stato inviato con altri dati. Se vuoi crearne un altro, invialo di nuovo ora.",
	})
}
