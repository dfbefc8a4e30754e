package lang

// The audit, in words.
func init() {
	italian.add(entries{
		"Audit of the site": "Registro del sito", "Audit entries, newest first": "Voci del registro, dalla più recente", "When": "Quando", "What": "Che cosa", "Before → after": "Prima → dopo", "became": "è diventato",
		"What was done and what was refused, newest first. Nothing here can be changed or removed.": "Che cosa è stato fatto e che cosa rifiutato, dal più recente. Qui nulla si può cambiare o togliere.",
		"Nothing is on record yet.": "Non è registrato ancora nulla.", "Older entries": "Voci precedenti", "Newest entries": "Voci più recenti", "Refused": "Rifiutato", "Refused rows": "Righe rifiutate",
		"%s because %s": "%s perché %s", "did: %s": "ha fatto: %s", "no reason is on record": "il motivo non è registrato", "yes": "sì", "no": "no", "nothing": "niente",
		"active": "attivo", "suspended": "sospeso", "erased": "cancellato", "has not signed in yet": "non ha ancora effettuato l'accesso",
		"Title": "Titolo", "Code": "Codice", "Description": "Descrizione", "Given": "Concesso", "Taken away": "Tolto", "Privileges": "Privilegi", "Role on the site": "Ruolo nel sito", "Status": "Stato",
		"Known here before": "Già conosciuto qui", "Courses left without an owner": "Corsi rimasti senza proprietario", "Signed in with": "Accesso con", "Token": "Token", "Scopes": "Ambiti", "Session": "Sessione", "Sessions": "Sessioni",

		"created the course": "ha creato il corso", "created the course for": "ha creato il corso per", "edited the course": "ha modificato il corso", "edited the course for": "ha modificato il corso per",
		"archived the course": "ha archiviato il corso", "archived the course for": "ha archiviato il corso per", "restored the course": "ha ripristinato il corso", "restored the course for": "ha ripristinato il corso per",
		"deleted the course": "ha eliminato il corso", "deleted the course for": "ha eliminato il corso per", "added": "ha aggiunto", "joined the course": "è entrato nel corso",
		"changed the role of": "ha cambiato il ruolo di", "changed a role": "ha cambiato un ruolo", "removed": "ha tolto", "left the course": "ha lasciato il corso",
		"set what may be done by": "ha deciso che cosa può fare", "set privileges": "ha deciso dei privilegi", "made a role": "ha creato un ruolo", "made a role for": "ha creato un ruolo per",
		"edited a role": "ha modificato un ruolo", "edited a role for": "ha modificato un ruolo per", "deleted a role": "ha eliminato un ruolo", "deleted a role for": "ha eliminato un ruolo per",
		"named": "ha indicato", "named somebody": "ha indicato qualcuno", "changed the account of": "ha cambiato l'account di", "changed an account": "ha cambiato un account",
		"changed the settings of": "ha cambiato le impostazioni di", "changed their own settings": "ha cambiato le proprie impostazioni", "ended sessions of": "ha chiuso sessioni di", "ended sessions": "ha chiuso sessioni",
		"made an API token for": "ha creato un token API per", "made an API token": "ha creato un token API", "revoked an API token of": "ha revocato un token API di", "revoked an API token": "ha revocato un token API",
		"signed in as": "ha effettuato l'accesso come", "signed in": "ha effettuato l'accesso", "signed in for the first time as": "ha effettuato il primo accesso come", "signed in for the first time": "ha effettuato il primo accesso",
		"signed up as": "si è iscritto come", "signed up": "si è iscritto", "got another address for": "ha avuto un altro indirizzo per", "got another address": "ha avuto un altro indirizzo",

		"wanted to create a course": "voleva creare un corso", "wanted to edit the course": "voleva modificare il corso", "wanted to archive the course": "voleva archiviare il corso",
		"wanted to restore the course": "voleva ripristinare il corso", "wanted to delete the course": "voleva eliminare il corso", "wanted to add people": "voleva aggiungere persone",
		"wanted to change a role": "voleva cambiare un ruolo", "wanted to remove people": "voleva togliere persone", "wanted to set what somebody may do": "voleva decidere che cosa qualcuno può fare",
		"wanted to make a role": "voleva creare un ruolo", "wanted to edit a role": "voleva modificare un ruolo", "wanted to delete a role": "voleva eliminare un ruolo", "wanted to name somebody": "voleva indicare qualcuno",
		"wanted to change an account": "voleva cambiare un account", "wanted to change their own settings": "voleva cambiare le proprie impostazioni", "wanted to end a session": "voleva chiudere una sessione",
		"wanted to make an API token": "voleva creare un token API", "wanted to revoke an API token": "voleva revocare un token API", "turned away a sign-in": "ha respinto un accesso",

		"they lacked the privilege": "mancava il privilegio", "nobody gives what they do not hold": "nessuno dà ciò che non ha", "the person owns the course": "la persona è proprietaria del corso",
		"nobody changes what they themselves may do": "nessuno cambia ciò che può fare lui stesso", "a course needs an owner who has signed in": "un corso ha bisogno di un proprietario che abbia effettuato l'accesso",
		"the person has another role": "la persona ha un altro ruolo", "the address is not of this school": "l'indirizzo non è di questa scuola",
		"there is no such thing, or it is not theirs to see": "non esiste, oppure non può vederlo", "the person was not in the course": "la persona non era nel corso", "the course is archived": "il corso è archiviato",
		"the course was still in use": "il corso era ancora in uso", "built-in roles stay as they are": "i ruoli predefiniti restano come sono", "people have this role": "ci sono persone con questo ruolo",
		"an owner holds everything": "un proprietario può fare tutto", "the address belongs to an account with another way of signing in": "l'indirizzo appartiene a un account che accede in un altro modo",
		"nobody has named the address": "nessuno ha indicato l'indirizzo", "the account is suspended": "l'account è sospeso", "the address is not verified": "l'indirizzo non è verificato",
		"the provider does not hand out such addresses": "il fornitore non assegna questi indirizzi", "some rows were not carried out": "alcune righe non sono state eseguite",
		"the API token does not reach so far": "il token API non arriva fin lì", "it takes more than an API token": "non basta un token API",
	})
}
