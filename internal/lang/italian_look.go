package lang

func init() {
	italian.add(entries{
		"%s as %s sees it": "%s come lo vede %s",
		"%s may see more here than you: %s. Ask somebody who may see it too.": "%s qui può vedere più di te: %s. Chiedi a chi può vederlo.",
		"Pages that they would see":                   "Pagine che vedrebbe",
		"People of the course":                        "Persone del corso",
		"See the course as they see it":               "Guarda il corso con i suoi occhi",
		"Stop looking":                                "Smetti di guardare",
		"They would see the others on further pages.": "Vedrebbe le altre persone nelle pagine successive.",
		"This person has no place in the course, so there is nothing that they would see.":                            "Questa persona non fa parte del corso, quindi non vedrebbe nulla.",
		"You are looking at this course as %s would see it. Nothing can be changed here, and this look is on record.": "Stai guardando questo corso come lo vedrebbe %s. Qui non si può cambiare nulla, e questo sguardo resta nel registro.",
		"looked at the course as it appears to":                                                                       "ha guardato il corso come appare a",
		"looked at the course as it appears to oneself":                                                               "ha guardato il corso come appare a sé",
		"wanted to look at the course as somebody else":                                                               "voleva guardare il corso come un'altra persona",
	})
}
