package lang

// Erasing accounts, and what is reviewed in a course.
func init() {
	italian.add(entries{
		"%d person asks to be erased": "%d persona chiede di essere cancellata", "%d people ask to be erased": "%d persone chiedono di essere cancellate",
		"Requests to be erased": "Richieste di cancellazione", "request": "richiesta", "The request": "La richiesta", "Open": "Aperte", "Carried out": "Eseguite", "Withdrawn": "Ritirata",
		"Newest requests": "Richieste più recenti", "Older requests": "Richieste meno recenti", "There are no such requests.": "Non ci sono richieste di questo tipo.", "Nobody is waiting for an answer.": "Nessuno attende una risposta.",
		"Asked %s.": "Richiesta del %s.", "Decided %s by %s.": "Decisa il %s da %s.", "Refuse…": "Respingi…", "Refuse the request": "Respingi la richiesta", "Why the account stays": "Perché l'account resta", "Why it was refused: %s": "Perché è stata respinta: %s",
		"The person reads this on their account page.":                       "La persona lo legge nella pagina del suo account.",
		"Refused. The person finds the reason on their account page.":        "Respinta. La persona trova il motivo nella pagina del suo account.",
		"Write why the account is not erased: the person reads it.":          "Scrivi perché l'account non viene cancellato: la persona lo legge.",
		"This request has been decided already.":                             "Questa richiesta è già stata decisa.",
		"%q is no state of a request: use open, withdrawn, refused or done.": "%q non è lo stato di una richiesta: usa open, withdrawn, refused o done.",

		"Erase %s?": "Cancellare %s?", "Erase the account": "Cancella l'account", "Erase the account…": "Cancella l'account…", "Erased. The address is free again.": "Cancellato. L'indirizzo è di nuovo libero.",
		"I know that this cannot be undone": "So che non si può annullare", "Confirm this.": "Conferma.",

		"Confirm that you know that this cannot be undone.":                           "Conferma di sapere che non si può annullare.",
		"This cannot be undone, and takes effect at once.":                            "Non si può annullare e ha effetto subito.",
		"Names, addresses and everything else that is personal are removed for good.": "Nomi, indirizzi e ogni altro dato personale vengono rimossi per sempre.",

		"Removed: names, addresses, ways of signing in, student numbers, sessions, API tokens, privileges, and what class lists say about this person.": "Si rimuovono: nomi, indirizzi, modi di accesso, numeri di matricola, sessioni, token API, permessi e ciò che gli elenchi dicono di questa persona.",
		"Kept under %s: places in courses, what they announced and what stands in the audit.":                                                           "Resta sotto il nome %s: posti nei corsi, avvisi scritti e ciò che è nel registro.",
		"They have never signed in, and so leave their courses.":                                                                                        "Non ha mai effettuato l'accesso, e quindi esce dai suoi corsi.",
		"The address is free: whoever signs in with it later, or is named by it, begins with nothing.":                                                  "L'indirizzo è libero: chi in seguito accede con esso, o viene nominato con esso, comincia da zero.",
		"A student system that still lists them names them again. Take them off its lists first.":                                                       "Un sistema della segreteria che la elenca ancora la nominerebbe di nuovo. Prima toglila dai suoi elenchi.",
		"Who owns these courses from now on (optional)":                                                                                                 "Di chi sono questi corsi d'ora in poi (facoltativo)",
		"The address of somebody who has signed in":                                                                                                     "L'indirizzo di qualcuno che ha già effettuato l'accesso",
		"The successor has to be somebody else who has signed in and is not suspended, since a course always has such an owner.":                        "Chi subentra deve essere un'altra persona che ha effettuato l'accesso e non è sospesa, perché un corso ha sempre un proprietario così.",
		"This account was erased. What others rely on is kept under this number, which leads to nobody any more.":                                       "Questo account è stato cancellato. Ciò su cui altri contano resta sotto questo numero, che non porta più a nessuno.",
		"Nobody can erase their own account. Ask another administrator.":                                                                                "Nessuno può cancellare il proprio account. Chiedi a un altro amministratore.",
		"%s is a service account, which is nobody's. Suspend it instead.":                                                                               "%s è un account di servizio, che non è di nessuno. Sospendilo, piuttosto.",
		"A service account is nobody's, and cannot ask to be erased.":                                                                                   "Un account di servizio non è di nessuno e non può chiedere di essere cancellato.",
		"This person was erased. Nothing can be given to them; they can only be removed.":                                                               "Questa persona è stata cancellata. Non le si può dare nulla; si può solo toglierla.",
		"What is kept about this person":                                                                                                                "Che cosa si conserva su questa persona", "Download their data": "Scarica i suoi dati",
		"When they ask for it: everything that is kept about them, with what stands in the audit, in a file that programs can read. That you downloaded it is recorded.": "Quando lo chiede: tutto ciò che si conserva su di lei, con ciò che è nel registro, in un file leggibile dai programmi. Resta scritto che l'hai scaricato.",

		"Erase my account": "Cancellare il mio account", "Ask to be erased": "Chiedi la cancellazione", "Withdraw the request": "Ritira la richiesta",
		"Anything that the administrators should know (optional)":        "Qualcosa che gli amministratori dovrebbero sapere (facoltativo)",
		"Asked. An administrator will answer; you find the answer here.": "Richiesta inviata. Risponderà un amministratore; la risposta la trovi qui.",
		"Withdrawn. Your account stays as it is.":                        "Ritirata. Il tuo account resta com'è.",
		"You asked for it %s. An administrator will answer.":             "L'hai chiesto il %s. Risponderà un amministratore.",
		"Your request was refused %s: %s":                                "La tua richiesta è stata respinta il %s: %s",
		"Your name, your addresses and everything else that is personal are removed for good. What the school has to keep, such as who was in a course, stays under a number. An administrator carries it out, or tells you why it cannot be done yet.": "Il tuo nome, i tuoi indirizzi e ogni altro dato personale vengono rimossi per sempre. Ciò che la scuola deve conservare, come chi era in un corso, resta sotto un numero. Lo esegue un amministratore, o ti dice perché non si può ancora fare.",

		"Review…":          "Rivedi…",
		"Grants to review": "Permessi da rivedere", "Confirm": "Conferma", "Take away": "Togli", "Taken away.": "Tolto.",
		"Confirmed. From now on it counts as given by you.":                                                                                                 "Confermato. D'ora in poi vale come dato da te.",
		"Everything in these courses was given by people who may still give it.":                                                                            "Tutto in questi corsi è stato dato da persone che possono ancora darlo.",
		"Nothing is to be reviewed in the courses that were looked at. Older ones follow.":                                                                  "Nei corsi esaminati non c’è nulla da rivedere. Seguono quelli più vecchi.",
		"In these courses somebody has a say from a person who could not give it today. Confirm it or take it away there.":                                  "In questi corsi qualcuno ha voce in capitolo grazie a una persona che oggi non potrebbe dargliela. Conferma o togli il permesso nel corso.",
		"Everything in this course was given by people who may still give it.":                                                                              "Tutto in questo corso è stato dato da persone che possono ancora darlo.",
		"Who has a say in this course from somebody who could not give it today. Confirm what is right, and it counts as given by you; take away the rest.": "Chi ha voce in questo corso grazie a qualcuno che oggi non potrebbe darla. Conferma ciò che è giusto, e vale come dato da te; togli il resto.",
		"The role %s, given by %s: %s.": "Il ruolo %s, dato da %s: %s.", "%s, given by %s: %s.": "%s, dato da %s: %s.", "%s, taken away by %s: %s.": "%s, tolto da %s: %s.",
		"their account was erased": "il suo account è stato cancellato", "their account is suspended": "il suo account è sospeso", "they are no longer in the course": "non è più nel corso", "they may no longer give it": "non può più darlo",
		"This is more than you hold": "È più di quanto hai tu",

		"The rows of this list are no longer kept, so that it cannot be undone. What it did stands in the audit.": "Le righe di questo elenco non si conservano più, quindi non si può annullare. Ciò che ha fatto è nel registro.",
		"What this list said is no longer kept, so it cannot be undone. Change the people of the course by hand.": "Ciò che questo elenco diceva non si conserva più, quindi non si può annullare. Cambia a mano le persone del corso.",

		"erased an account": "ha cancellato un account", "asked to erase": "ha chiesto di cancellare", "asked to be erased": "ha chiesto di essere cancellato",
		"withdrew the request of": "ha ritirato la richiesta di", "no longer asks to be erased": "non chiede più di essere cancellato", "refused to erase": "ha rifiutato di cancellare", "refused a request to be erased": "ha respinto una richiesta di cancellazione",
		"confirmed what was given to": "ha confermato ciò che era stato dato a", "confirmed what was given": "ha confermato ciò che era stato dato", "took away what was given to": "ha tolto ciò che era stato dato a", "took away what was given": "ha tolto ciò che era stato dato",
		"wanted to erase an account": "voleva cancellare un account", "wanted to download the data of somebody": "voleva scaricare i dati di qualcuno", "wanted to ask to be erased": "voleva chiedere di essere cancellato",
		"wanted to withdraw a request to be erased": "voleva ritirare una richiesta di cancellazione", "wanted to refuse a request to be erased": "voleva respingere una richiesta di cancellazione",
		"wanted to confirm what was given": "voleva confermare ciò che era stato dato", "wanted to take away what was given": "voleva togliere ciò che era stato dato",
		"the person was erased": "la persona è stata cancellata", "it had been decided already": "era già stato deciso", "its rows are no longer kept": "le sue righe non si conservano più", "it is a service account": "è un account di servizio",
	})
}
