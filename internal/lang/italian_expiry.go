package lang

// The mail to those who named people who expire soon.
func init() {
	italian.add(entries{
		"Tells who expires soon":                               "Avvisa di chi scade presto",
		"If nobody is missing, you need do nothing.":           "Se non manca nessuno, non devi fare nulla.",
		"%d person has not come to %s, and will be forgotten":  "%d persona non è arrivata su %s e sarà dimenticata",
		"%d people have not come to %s, and will be forgotten": "%d persone non sono arrivate su %s e saranno dimenticate",
		"%d person whom you named, or to whom you gave something, has not signed in, and is forgotten in the week of %s: their places end, and their name and address are deleted.":      "%d persona che hai indicato, o a cui hai dato qualcosa, non ha effettuato l'accesso e sarà dimenticata nella settimana del %s: i suoi posti terminano, il nome e l'indirizzo vengono eliminati.",
		"%d people whom you named, or to whom you gave something, have not signed in, and are forgotten in the week of %s: their places end, and their names and addresses are deleted.": "%d persone che hai indicato, o a cui hai dato qualcosa, non hanno effettuato l'accesso e saranno dimenticate nella settimana del %s: i loro posti terminano, i nomi e gli indirizzi vengono eliminati.",
		"Who they are stands on the pages “Arrivals” of your courses, where you can keep them, look whether an address is wrong, or tell them:":                                          "Chi sono è scritto nelle pagine «Arrivi» dei tuoi corsi, dove puoi tenerle, guardare se un indirizzo è sbagliato o avvisarle:",
	})
}
