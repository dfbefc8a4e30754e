package lang

// People who are expected: addresses that are corrected, people who are withdrawn or
// expire.
func init() {
	italian.add(entries{
		"%d person expires soon": "%d persona sta per scadere", "%d people expire soon": "%d persone stanno per scadere", "Who expires soon": "Chi sta per scadere",
		"Expires": "Scade", "Expired": "Scaduto", "Gone": "Non più atteso", "Keep": "Mantieni", "Keep all of them": "Mantieni tutti", "Find": "Trova", "Find by address": "Trova per indirizzo",
		"Who never came": "Chi non è mai arrivato", "Withdrawn by %s": "Ritirato da %s", "Withdraw this person": "Ritira questa persona", "Back to %s": "Torna a %s",
		"Correct the address": "Correggi l'indirizzo", "Correct the address, or withdraw…": "Correggi l'indirizzo, o ritira…", "The address of %s": "L'indirizzo di %s", "The right address": "L'indirizzo giusto",
		"The whole address": "L'indirizzo completo", "Yes, all of it is to go": "Sì, va tolto tutto", "These are the last %d.": "Questi sono gli ultimi %d.", "Keyed hash of the address": "Impronta con chiave dell'indirizzo",
		"Expect them for another day": "Aspetta ancora un giorno", "Expect them for another %d days": "Aspetta ancora %d giorni",
		"Expires on %s, unless they come, are named again or are given something.": "Scade il %s, a meno che non arrivi, venga indicato di nuovo o riceva qualcosa.",

		"%s has signed in, so the account is theirs, with its address. They can be removed from a course.":                                                                                "%s ha effettuato l'accesso: l'account, con il suo indirizzo, è suo. Si può rimuovere da un corso.",
		"All their places end, in every course, and their name and address are deleted. Whoever signs in or is named with the address afterwards is a new person. This cannot be undone.": "Tutti i suoi posti finiscono, in ogni corso, e nome e indirizzo vengono cancellati. Chi accede o viene indicato con questo indirizzo in seguito è una persona nuova. Non si può annullare.",
		"Corrected. Everything that was given to them waits for the new address now.":                                                                                                     "Corretto. Tutto ciò che aveva ricevuto ora aspetta il nuovo indirizzo.",
		"Days after which somebody who was named and never came expires, unless they are named again or given something.":                                                                 "Giorni dopo i quali scade chi è stato indicato e non è mai arrivato, a meno che non venga indicato di nuovo o riceva qualcosa.",
		"Everything that was given to them stays and waits for the new address. The address that they have now can no longer claim it.":                                                   "Tutto ciò che ha ricevuto resta e aspetta il nuovo indirizzo. L'indirizzo attuale non potrà più reclamarlo.",
		"Nobody has the address %s, and nobody was named with it.":                                                                                                                        "Nessuno ha l'indirizzo %s, e nessuno è stato indicato con esso.",
		"Nobody has this address now. Somebody was named with it, never came, and expired on %s.":                                                                                         "Ora nessuno ha questo indirizzo. Qualcuno era stato indicato con esso, non è mai arrivato ed è scaduto il %s.",
		"Nobody has this address now. Somebody was named with it, never came, and was withdrawn on %s.":                                                                                   "Ora nessuno ha questo indirizzo. Qualcuno era stato indicato con esso, non è mai arrivato ed è stato ritirato il %s.",
		"Not all that waits for %s is yours to take away. Ask an administrator of this site.":                                                                                             "Non tutto ciò che aspetta %s è tuo da togliere. Chiedi a un amministratore di questo sito.",
		"Nothing was withdrawn yet. Confirm that all of it is to go.":                                                                                                                     "Non è stato ancora ritirato nulla. Conferma che va tolto tutto.",
		"Shows everything that waits for an address: what was given, by whom and when. There it is corrected or withdrawn.":                                                               "Mostra tutto ciò che aspetta un indirizzo: che cosa è stato dato, da chi e quando. Lì si corregge o si ritira.",
		"Somebody is changing this person at this very moment, so nothing was saved. Please try again.":                                                                                   "Proprio in questo momento qualcuno sta modificando questa persona, quindi non è stato salvato nulla. Riprova.",
		"Somebody is giving something to this person at this very moment. Please try again.":                                                                                              "Proprio in questo momento qualcuno sta dando qualcosa a questa persona. Riprova.",
		"The account of %s is suspended. An administrator can restore it first.":                                                                                                          "L'account di %s è sospeso. Prima può ripristinarlo un amministratore.",
		"There is somebody with the address %s already, so %s cannot have it too. If both are one person, merge them: nothing that was given to either is lost.":                          "C'è già qualcuno con l'indirizzo %s, quindi %s non può averlo. Se sono la stessa persona, uniscili: di ciò che è stato dato all'uno o all'altro non si perde nulla.",
		"This person is not in the course any more, and nothing was saved. Add them again if that is meant.":                                                                              "Questa persona non è più nel corso e non è stato salvato nulla. Aggiungila di nuovo, se è ciò che intendi.",
		"Back to the course":               "Torna al corso",
		"“%s” stands for @ in the address": "“%s” sta al posto di @ nell'indirizzo", "Write @ in its place.": "Scrivi @ al suo posto.",
		"A code has %d letters and digits. Compare it with the newest mail.": "Un codice ha %d lettere e cifre. Confrontalo con l'ultimo messaggio.",
		"They go on signing in as they do now, and with no other account. If they are to use the account of their school too, they have to sign in with that first: each is asked then, and both ways stay.": "Continuano ad accedere come adesso, e con nessun altro account. Se devono usare anche l'account della scuola, devono prima accedere con quello: allora si chiede a entrambi, e restano tutti e due i modi.",
		"If your school gave you another address, sign in with that one instead.": "Se la scuola ti ha dato un altro indirizzo, accedi invece con quello.",
		"Look at merging them first":                              "Guarda prima che cosa succede unendoli",
		"This is the address that they have. Type the right one.": "È l'indirizzo che hanno già. Scrivi quello giusto.",
		"They are expected for longer.":                           "L'attesa è prolungata.",
		"They were named long ago and have not come. When they expire, their places end and their names and addresses are deleted. Naming them again keeps them, too.":                   "Sono stati indicati molto tempo fa e non sono arrivati. Quando scadono, i loro posti finiscono e nomi e indirizzi vengono cancellati. Anche indicarli di nuovo li mantiene.",
		"They were named, never signed in, and expired or were withdrawn in the last 90 days. Nothing else is kept of them. To expect somebody again, name them again by their address.": "Sono stati indicati, non hanno mai effettuato l'accesso e sono scaduti o sono stati ritirati negli ultimi 90 giorni. Di loro non si conserva altro. Per aspettare di nuovo qualcuno, indicalo di nuovo con il suo indirizzo.",
		"Withdrawn. Nothing of this person is left, and the address is free.":                                                                                                            "Ritirato. Di questa persona non resta nulla, e l'indirizzo è libero.",

		"corrected an address": "ha corretto un indirizzo", "corrected the address of": "ha corretto l'indirizzo di", "ended the waiting for": "ha smesso di aspettare", "ended the waiting for somebody": "ha smesso di aspettare qualcuno",
		"expects for longer": "aspetta più a lungo", "expects somebody for longer": "aspetta qualcuno più a lungo", "withdrew": "ha ritirato", "withdrew somebody": "ha ritirato qualcuno",
		"wanted to correct an address": "voleva correggere un indirizzo", "wanted to expect people for longer": "voleva aspettare qualcuno più a lungo", "wanted to withdraw somebody": "voleva ritirare qualcuno",
		"others had given something to the person": "altri avevano dato qualcosa alla persona", "somebody has the address": "qualcuno ha già l'indirizzo", "the person had signed in or was suspended": "la persona aveva effettuato l'accesso o era sospesa",
	})
}
