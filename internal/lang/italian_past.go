package lang

// Who was in a course once.
func init() {
	italian.add(entries{
		"Who has left": "Chi è uscito",
		"Everybody who was in this course once, the last to leave first. Taking somebody back gives them what they had.": "Tutti quelli che sono stati in questo corso, dall'ultimo che è uscito. Chi viene ripreso riavrà ciò che aveva.",
		"Nobody has left this course.": "Nessuno è uscito da questo corso.",
		"In the course again":          "Di nuovo nel corso",
		"Left":                         "Uscito",
		"Left by themselves":           "È uscito da sé",
		"Was removed":                  "È stato tolto",
		"Take back":                    "Riprendi",
		"They are in the course again, with what they had.":                "È di nuovo nel corso, con ciò che aveva.",
		"This person was never in this course. Add them by their address.": "Questa persona non è mai stata in questo corso. Aggiungila con il suo indirizzo.",
		"Was here before as %s, from %s to %s.":                            "È stato qui prima come %s, dal %s al %s.",
		"took back":                                                        "ha ripreso",
		"came back to the course":                                          "è tornato nel corso",
		"wanted to take somebody back":                                     "voleva riprendere qualcuno",
	})
}
