package lang

func init() {
	italian.add(entries{
		"%s as %s sees it": "%s come lo vede %s",
		"%s may see more here than you: %s. Ask somebody who may see it too.": "%s qui può vedere più di te: %s. Chiedi a chi può vederlo.",
		"Pages that they would see":                   "Pagine che vedrebbe",
		"People of the course":                        "Persone del corso",
		"See the course as they see it":               "Guarda il corso con i suoi occhi",
		"They would see the others on further pages.": "Vedrebbe le altre persone nelle pagine successive.",
		"This person has no place in the course, so there is nothing that they would see.":                                               "Questa persona non fa parte del corso, quindi non vedrebbe nulla.",
		"looked at the course as it appears to":                                                                                          "ha guardato il corso come appare a",
		"looked at the course as it appears to oneself":                                                                                  "ha guardato il corso come appare a sé",
		"wanted to look at the course as somebody else":                                                                                  "voleva guardare il corso come un'altra persona",
		"You are looking at this course as %s would see it. Nothing can be changed here. The audit of the course notes that you looked.": "Stai guardando questo corso come lo vedrebbe %s. Qui non si può cambiare nulla. Il registro del corso annota che hai guardato.",
		"Back to my own view": "Torna alla mia vista",
		"In short: the buttons and switches that go with what they may do are left out here.": "In breve: i pulsanti e gli interruttori legati a quello che può fare qui non ci sono.",
	})
}
