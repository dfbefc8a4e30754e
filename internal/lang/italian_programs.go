package lang

// Programs in which people sign in by themselves.
func init() {
	italian.add(entries{
		"Program":             "Programma",
		"Program %s":          "Programma %s",
		"It calls itself: %s": "Si presenta come: %s",
		"Programs may also exchange ID tokens that it made for: %s":                                                                           "I programmi possono scambiare anche i token ID che ha emesso per: %s",
		"The web pages elsewhere, by their origins, that may call the API in their users' browsers. When none is set, none may.":              "Le pagine web di altri siti, per origine, che possono chiamare l'API nel browser di chi le usa. Se non ce n'è nessuna, nessuna può farlo.",
		"ended a program's session, whose refresh token was used twice":                                                                       "ha chiuso la sessione di un programma il cui token di rinnovo è stato usato due volte",
		"ended a program's session, whose refresh token was used twice, of":                                                                   "ha chiuso la sessione di un programma, il cui token di rinnovo è stato usato due volte, di",
		"This ID token was issued more than %d minutes ago. Sign in again, and exchange the new one at once.":                                 "Questo token ID è stato emesso più di %d minuti fa. Accedi di nuovo e scambia subito quello nuovo.",
		"This ID token was exchanged before, and works once. Sign in again and exchange the new one.":                                         "Questo token ID è già stato scambiato, e vale una volta sola. Accedi di nuovo e scambia quello nuovo.",
		"This refresh token is not valid: it may have expired or been used, or the sign-in was ended. Sign in again.":                         "Questo token di rinnovo non è valido: forse è scaduto o è già stato usato, o l'accesso è stato chiuso. Accedi di nuovo.",
		"This refresh token was used before. Since somebody else may hold it, everything that came of this sign-in has ended. Sign in again.": "Questo token di rinnovo è già stato usato. Poiché potrebbe averlo qualcun altro, tutto ciò che veniva da questo accesso è stato chiuso. Accedi di nuovo.",
		"A renewed token can do no more than was asked for at the sign-in. Sign in again to ask for more.":                                    "Un token rinnovato non può fare più di ciò che è stato chiesto all'accesso. Accedi di nuovo per chiedere di più.",
	})
}
