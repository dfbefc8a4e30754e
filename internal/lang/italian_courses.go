package lang

// Courses, the reader's own account, signing in, and the administration.
func init() {
	italian.add(entries{
		"%d person": "%d persona", "%d people": "%d persone", "%d has not signed in yet": "%d non ha ancora effettuato l'accesso", "%d have not signed in yet": "%d non hanno ancora effettuato l'accesso",
		"Choose from the list how long the token is to work.": "Scegli dall'elenco per quanto tempo il token deve funzionare.",
		"Choose what the token may be used for.":              "Scegli per che cosa si può usare il token.",
		"One of the courses is none. Choose from the list.":   "Uno dei corsi non esiste. Scegli dall'elenco.",

		"New course": "Nuovo corso", "Newest courses": "Corsi più recenti", "Older courses": "Corsi precedenti", "Courses of the site": "Corsi del sito", "Create the course": "Crea il corso",
		"There are no courses on this site yet.": "In questo sito non ci sono ancora corsi.", "You have no course yet": "Non hai ancora corsi", "Nothing here yet": "Qui non c'è ancora nulla",
		"Create your first one. You can add your colleagues and students to it right away, whether or not they have ever signed in.": "Crea il primo. Puoi aggiungere subito colleghi e studenti, che abbiano già effettuato l'accesso oppure no.",
		"When a teacher adds you to a course, it appears here by itself. You need not do anything.":                                  "Quando un docente ti aggiunge a un corso, questo compare qui da solo. Non devi fare nulla.",
		"What people call it, such as Algorithms": "Come lo chiamano tutti, ad esempio Algoritmi", "Code (optional)": "Codice (facoltativo)", "The school's own code, such as CS-201": "Il codice della scuola, ad esempio CS-201",
		"Description (optional)": "Descrizione (facoltativa)", "This course was archived on %s. It can be read, but not changed.": "Questo corso è stato archiviato il %s. Si può leggere, ma non cambiare.",
		"You are an administrator of this site": "Sei amministratore di questo sito", "You have no place in this course, but you may do everything in it.": "Non fai parte di questo corso, ma puoi farvi tutto.",
		"What you may do here": "Che cosa puoi fare qui", "You are here as: %s": "Sei qui come: %s", "You own this course and may do everything in it.": "Sei proprietario di questo corso e puoi farvi tutto.", "You may:": "Puoi:",
		"You are part of this course. There is nothing you need to do here at the moment.": "Fai parte di questo corso. Al momento qui non devi fare nulla.", "My place in this course, and why": "Il mio posto in questo corso, e perché",
		"This course is archived, so nothing in it can be changed. Restore it to edit it again.": "Questo corso è archiviato, quindi non si può cambiare nulla. Ripristinalo per modificarlo di nuovo.",
		"Restore the course": "Ripristina il corso", "Everybody gets back what they could do before.": "Ciascuno riottiene ciò che poteva fare prima.", "Delete the course": "Elimina il corso",
		"A deleted course disappears for everybody, for good.": "Un corso eliminato scompare per tutti, per sempre.", "Delete…": "Elimina…",
		"When the course is over: everybody can still read it, and nobody can change it. You can restore it at any time. Only an archived course can be deleted.": "Quando il corso è finito: tutti possono ancora leggerlo, e nessuno può cambiarlo. Puoi ripristinarlo in qualsiasi momento. Solo un corso archiviato si può eliminare.",
		"Delete %s?": "Vuoi eliminare %s?", "The course disappears for everybody in it, for good. This cannot be undone here.": "Il corso scompare per tutti, per sempre. Qui non si può annullare.",
		"Delete the course for good": "Elimina il corso per sempre", "Keep it": "Tienilo", "This course is in use. Archive it first; an archived course can be deleted.": "Questo corso è in uso. Prima archivialo: un corso archiviato si può eliminare.", "Back to the settings": "Torna alle impostazioni",

		"My account": "Il mio account", "Who I am": "Chi sono", "On this site": "In questo sito", "First signed in": "Primo accesso", "The name comes from the account with which you sign in.": "Il nome viene dall'account con cui accedi.",
		"How I sign in": "Come accedo", "Since %s, last used %s.": "Dal %s, ultimo uso %s.", "Where I am signed in": "Dove ho effettuato l'accesso", "This browser": "Questo browser", "Signed in %s, last used %s.": "Accesso %s, ultimo uso %s.",
		"Sign out everywhere else": "Chiudi tutte le altre sessioni", "Your new token “%s”": "Il tuo nuovo token «%s»", "Copy it now: it is shown only this once, and nobody can look it up later.": "Copialo ora: si mostra solo questa volta, e nessuno potrà ritrovarlo in seguito.",
		"API tokens": "Token API", "A token lets a program do in your name what you may do. Never send one by mail; revoke it when it is no longer needed.": "Un token permette a un programma di fare a tuo nome ciò che puoi fare tu. Non inviarlo mai per e-mail; revocalo quando non serve più.",
		"Make a token": "Crea un token", "Make the token": "Crea il token", "Made %s.": "Creato il %s.", "Never used.": "Mai usato.", "Last used %s.": "Ultimo uso %s.", "It does not expire.": "Non scade.", "It works until %s.": "Funziona fino al %s.", "Revoke": "Revoca",
		"By which you will know it later, such as grade sync": "Con cui riconoscerlo in seguito, ad esempio sincronizzazione voti", "It may": "Può", "see what I may see": "vedere ciò che posso vedere io", "change what I may change": "cambiare ciò che posso cambiare io",
		"Only in these courses (none chosen: everywhere)": "Solo in questi corsi (nessuno scelto: ovunque)", "How long it works": "Per quanto tempo funziona", "30 days": "30 giorni", "90 days": "90 giorni", "1 year": "1 anno", "It does not expire": "Non scade",
		"It sees what you may see, and changes nothing.": "Vede ciò che puoi vedere tu e non cambia nulla.", "It sees and changes what you may.": "Vede e cambia ciò che puoi tu.", "Ends in %s. %s": "Finisce con %s. %s", "Ends in %s. %s Only in: %s.": "Finisce con %s. %s Solo in: %s.",
		"course %s": "corso %s", "Unknown browser": "Browser sconosciuto", "Browser on %s": "Browser su %s", "%s on %s": "%s su %s",

		"Sign in": "Accedi", "Sign in with %s": "Accedi con %s", "Use the account that your school or university gave you. There is nothing to register: if somebody has added your address, everything is waiting for you.": "Usa l'account che ti ha dato la tua scuola o università. Non occorre registrarsi: se qualcuno ha aggiunto il tuo indirizzo, tutto ti aspetta già.",
		"No way to sign in is set up here yet. The administrator of this site has to configure one.": "Qui non è ancora configurato alcun modo di accedere. L'amministratore di questo sito deve configurarne uno.",
		"Not signed in": "Accesso non effettuato", "You are not signed in": "Non hai effettuato l'accesso", "What you can do": "Che cosa puoi fare", "Try again": "Riprova", "Try another way": "Prova in un altro modo",
		"If your school gave you an account, sign in with that one. A private account has another address, and nobody here has named that.":                          "Se la tua scuola ti ha dato un account, accedi con quello. Un account privato ha un altro indirizzo, che qui nessuno ha indicato.",
		"If it was the right account, tell your teacher the address with which you just signed in, letter by letter. As soon as they have added it you can come in.": "Se era l'account giusto, comunica al tuo docente, lettera per lettera, l'indirizzo con cui hai appena effettuato l'accesso. Appena lo avrà aggiunto potrai entrare.",
		"Look for the button that belongs to the school or company of your e-mail address, and use the account that they gave you.":                                  "Cerca il pulsante della scuola o dell'azienda del tuo indirizzo e-mail, e usa l'account che ti hanno dato.",
		"If there is none, ask the person who invited you to add the address of an account that you can sign in with here.":                                          "Se non c'è, chiedi a chi ti ha invitato di aggiungere l'indirizzo di un account con cui puoi accedere qui.",
		"You have been here before with another account or another button: use that one again.":                                                                      "Sei già stato qui con un altro account o un altro pulsante: usa di nuovo quello.",
		"If that account is gone, ask the administrator of this site. They can see to whom the address belongs.":                                                     "Se quell'account non esiste più, chiedi all'amministratore di questo sito: può vedere a chi appartiene l'indirizzo.",
		"Open the settings of your account there, confirm your e-mail address, and come back.":                                                                       "Apri le impostazioni del tuo account, conferma il tuo indirizzo e-mail e torna qui.",
		"This happens when the sign-in page stayed open for long, when it was opened twice, or when cookies are switched off.":                                       "Succede quando la pagina di accesso è rimasta aperta a lungo, è stata aperta due volte, o i cookie sono disattivati.",

		"People of the site": "Persone del sito", "Back to the people of the site": "Torna alle persone del sito", "Search by name or address": "Cerca per nome o indirizzo", "Signed in before": "Già arrivati", "Nobody matches.": "Nessuno corrisponde.",
		"On the site": "Nel sito", "Named": "Indicato", "Last seen": "Ultima visita", "Name a person": "Indica una persona", "Name this person": "Indica questa persona", "They get a place on this site before they arrive. To put somebody into a course, use the course's people page.": "Avrà un posto in questo sito prima di arrivare. Per mettere qualcuno in un corso, usa la pagina delle persone del corso.",
		"E-mail address": "Indirizzo e-mail", "Did you mean %s?": "Intendevi %s?", "Given name (optional)": "Nome (facoltativo)", "Family name (optional)": "Cognome (facoltativo)", "Not yet": "Non ancora", "Never": "Mai",
		"This is you. Nobody can change their own role on the site or suspend themselves; another administrator can.": "Sei tu. Nessuno può cambiare il proprio ruolo nel sito né sospendere sé stesso; può farlo un altro amministratore.",
		"Restore the account": "Ripristina l'account", "Everything that this person had is as it was.": "Tutto ciò che questa persona aveva è come prima.", "Suspend the account": "Sospendi l'account",
		"The person is signed out everywhere at once and cannot sign in. Nothing is deleted.": "La persona viene disconnessa subito ovunque e non può accedere. Nulla viene eliminato.", "These courses may be left without an owner who has signed in": "Questi corsi possono restare senza un proprietario che abbia effettuato l'accesso",
	})
}
