package lang

// Telling people that another account was merged into theirs.
func init() {
	italian.add(entries{
		"Merged into your account":        "Uniti al tuo account",
		"Tells that accounts were merged": "Avvisa che degli account sono stati uniti",
		"Look at it":                      "Guarda",
		"By %s on %s.":                    "Da %s il %s.",
		"If one of these accounts is not yours, tell whoever merged them, or an administrator. They can be split for 30 days.": "Se uno di questi account non è tuo, dillo a chi li ha uniti o a un amministratore. Per 30 giorni si possono separare.",
		"An account was merged into yours at %s": "Un account è stato unito al tuo su %s",
		"Another account at %s, %s, is a part of yours now: what it had in courses is yours, and its address leads to you.":            "Un altro account su %s, %s, ora fa parte del tuo: ciò che aveva nei corsi è tuo, e il suo indirizzo porta a te.",
		"Who did it, and what it changed, stands on your account page:":                                                                "Chi lo ha fatto, e che cosa è cambiato, è scritto nella pagina del tuo account:",
		"If that other account is not yours, tell whoever merged them, or the administrator of the site: it can be split for 30 days.": "Se quell'altro account non è tuo, dillo a chi li ha uniti o all'amministratore del sito: per 30 giorni si può separare.",
	})
}
