package lang

// Directories that provision people by SCIM.
func init() {
	italian.add(entries{
		"A directory that speaks for a way to sign in can say who somebody will be there. They are then recognized by that at their first sign-in, whatever their address is, and nobody else can claim what waits for them.": "Una directory che parla per un modo di accedere può dire chi sarà lì una persona. Al primo accesso la si riconosce da questo, qualunque sia il suo indirizzo, e nessun altro può prendere ciò che la aspetta.",

		"A group needs a displayName.": "Un gruppo ha bisogno di un displayName.",

		"A group of a name that no course has becomes a course": "Un gruppo con un nome che nessun corso ha diventa un corso",

		"A member is nobody here": "Un membro qui non è nessuno",

		"A new token ends the one before at once. Stopping ends it too; what the directory did stays.": "Un nuovo token fa cessare subito il precedente. Anche fermarla lo fa cessare; ciò che la directory ha fatto resta.",

		"A program has no scope scim.": "Un programma non ha l'ambito scim.",

		"A subject has at most %d ASCII characters, without blanks at its ends.": "Un soggetto ha al più %d caratteri ASCII, senza spazi alle estremità.",

		"A value cannot be used": "Un valore non si può usare", "All directories": "Tutte le directory", "By which it stands in the audit, such as Entra": "Con cui compare nel registro, per esempio Entra",
		"Deleted in the directory": "Eliminata nella directory", "Directories": "Directory", "Directories that name and suspend people (SCIM)": "Directory che nominano e sospendono persone (SCIM)",
		"Directory": "Directory", "Entries of directories": "Voci di directory",

		"Give the directory a name, such as \"Entra\".": "Dai un nome alla directory, per esempio \"Entra\".",

		"Groups": "Gruppi", "Have not signed in yet": "Non hanno ancora fatto l'accesso", "In the attribute subject of Matricula's own schema": "Nell'attributo subject dello schema di Matricula", "In the externalId": "Nell'externalId",
		"It has none, so it cannot call.": "Non ne ha, quindi non può chiamare.", "It has not called yet.": "Non ha ancora chiamato.", "It is the last administrator": "È l'ultimo amministratore", "It may not make courses": "Non può creare corsi",
		"It speaks for": "Parla per", "It speaks for no provider": "Non parla per nessun provider", "Its groups become courses": "I suoi gruppi diventano corsi", "Its token lacks the scope scim": "Al suo token manca l'ambito scim",
		"Known to the directory": "Nota alla directory", "Last call": "Ultima chiamata", "Linked to a sign-in": "Collegate a un accesso", "Links of directories to future sign-ins": "Collegamenti di directory ad accessi futuri",
		"Make a new token": "Crea un nuovo token",

		"Microsoft Entra, Okta, Google Workspace and others can name people here before they arrive, keep rosters, and suspend whoever leaves the institution, by SCIM 2.0.": "Microsoft Entra, Okta, Google Workspace e altri possono nominare qui le persone prima che arrivino, tenere gli elenchi e sospendere chi lascia l'istituzione, con SCIM 2.0.",

		"Answered %d": "Risposta %d", "Names told": "Nomi comunicati", "No longer linked": "Non più collegata", "Not an address": "Non è un indirizzo", "Nothing that it asked for was refused.": "Nulla di ciò che ha chiesto è stato rifiutato.",

		"One request can add or remove at most %d members. Send several.": "Una richiesta può aggiungere o togliere al più %d membri. Mandane più d'una.",

		"Only a service account's API token can do this. An administrator makes one for a directory at /admin/directories.": "Solo il token API di un account di servizio può farlo. Un amministratore ne crea uno per una directory in /admin/directories.",

		"Only the token of a service account can have the scope scim: a directory is nobody's. An administrator makes one at /admin/directories.": "Solo il token di un account di servizio può avere l'ambito scim: una directory non è di nessuno. Un amministratore ne imposta una in /admin/directories.",

		"SCIM address": "Indirizzo SCIM",

		"Say how the directory tells who somebody will be: attribute or external_id.": "Indica come la directory dice chi sarà una persona: attribute o external_id.",

		"Set up a directory": "Imposta una directory", "Set up the directory": "Imposta la directory", "Somebody has this address already": "Qualcuno ha già questo indirizzo", "Speaks for": "Parla per",
		"Stop the directory": "Ferma la directory", "Suspended by it": "Sospese da lei", "The course is archived": "Il corso è archiviato", "The directory is stopped: its token no longer works.": "La directory è ferma: il suo token non funziona più.",

		"The directory of your school says that this account belongs to another sign-in with %s. Sign in with the account that your school gave you, or ask the administrator of this site.": "La directory della tua scuola dice che questo account appartiene a un altro accesso con %s. Accedi con l'account che ti ha dato la scuola, o chiedi all'amministratore del sito.",

		"The externalId %s is somebody else's already.": "L'externalId %s è già di un'altra persona.",

		"The externalId is somebody else's": "L'externalId è di un'altra persona", "The filter cannot be used": "Il filtro non si può usare", "The request cannot be read": "La richiesta non si può leggere", "The subject is somebody else's": "Il soggetto è di un'altra persona",
		"The token of %s": "Il token di %s", "There is a course of this name already": "C'è già un corso con questo nome",

		"There is a group with this displayName already. Find it with a filter, and change it.": "C'è già un gruppo con questo displayName. Trovalo con un filtro e modificalo.",

		"There is a service account called %s already. Choose another name.": "C'è già un account di servizio chiamato %s. Scegli un altro nome.",

		"There is no directory yet.": "Non c'è ancora una directory.", "There is no scope %q: use read, write or scim.": "Non c'è un ambito %q: usa read, write o scim.",

		"There is no user with the id %d. Provision people before their groups.": "Non c'è un utente con l'id %d. Crea le persone prima dei loro gruppi.",

		"There is no way to sign in called %q. Choose one of those that are set up, or none.": "Non c'è un modo di accedere chiamato %q. Scegline uno di quelli impostati, o nessuno.",

		"There is nothing at the path": "Nel percorso non c'è nulla",

		"There is somebody with the userName %s already. Find them with a filter, and change them.": "C'è già una persona con lo userName %s. Trovala con un filtro e modificala.",

		"These groups have more than %d members together. Ask for fewer groups, or with excludedAttributes=members.": "Questi gruppi hanno insieme più di %d membri. Chiedi meno gruppi, o con excludedAttributes=members.",

		"This directory may not make courses, and no course has this displayName. Give the group the name of its course, or ask an administrator of this site.": "Questa directory non può creare corsi, e nessun corso ha questo displayName. Dai al gruppo il nome del suo corso, o chiedi a un amministratore del sito.",

		"This directory speaks for no provider yet. An administrator chooses one at /admin/directories.": "Questa directory non parla ancora per nessun provider. Un amministratore ne sceglie uno in /admin/directories.",

		"This is the only person who can administer the site. Make somebody else an administrator first.": "È l'unica persona che può amministrare il sito. Prima rendi amministratore qualcun altro.",

		"This subject is somebody else's already.": "Questo soggetto è già di un'altra persona.", "To paste into the directory": "Da incollare nella directory", "What it did not get": "Che cosa non ha ottenuto", "What it keeps": "Che cosa tiene",
		"Where it says who somebody will be": "Dove dice chi sarà una persona", "Who people will be": "Chi saranno le persone", "Why not": "Perché no", "changed a directory": "ha modificato una directory", "changed the directory": "ha modificato la directory",
		"directory": "directory", "ends in %s": "finisce con %s", "gave a directory a new token": "ha dato un nuovo token a una directory", "gave a new token to the directory": "ha dato un nuovo token alla directory",
		"no provider": "nessun provider", "provision": "gestire persone", "provisioned": "ha gestito", "provisioned a group": "ha gestito un gruppo", "provisioned a group for": "ha gestito un gruppo per", "provisioned a roster": "ha gestito un elenco",
		"provisioned a roster for": "ha gestito un elenco per", "provisioned somebody": "ha gestito una persona", "resource": "risorsa", "set up a directory": "ha impostato una directory", "set up the directory": "ha impostato la directory",
		"stopped a directory": "ha fermato una directory", "stopped the directory": "ha fermato la directory", "wanted a new token for a directory": "voleva un nuovo token per una directory", "wanted to change a directory": "voleva modificare una directory",
		"wanted to provision a group": "voleva gestire un gruppo", "wanted to provision a roster": "voleva gestire un elenco", "wanted to provision people": "voleva gestire persone", "wanted to set up a directory": "voleva impostare una directory",
		"wanted to stop a directory": "voleva fermare una directory",
	})
}
