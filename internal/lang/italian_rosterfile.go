package lang

func init() {
	italian.add(entries{
		"Or a file":      "Oppure un file",
		"Class list":     "Elenco della classe",
		"Check the file": "Controlla il file",
		"An XLSX or CSV file with a column of e-mail addresses, of any program and in any order. Its other columns are left alone.":                                                "Un file XLSX o CSV con una colonna di indirizzi e-mail, di qualsiasi programma e in qualsiasi ordine. Le altre colonne non si usano.",
		"Paste them as they come: one on each line, separated by commas, some columns of a spreadsheet, or the recipients of a mail. It does not matter who has signed in before.": "Incollali come sono: uno per riga, separati da virgole, alcune colonne di un foglio di calcolo o i destinatari di una mail. Non importa chi ha già effettuato l'accesso.",
		"Choose a file first: a class list saved as XLSX or CSV.":                              "Scegli prima un file: un elenco della classe salvato come XLSX o CSV.",
		"No column of this file holds e-mail addresses. Add one, with the heading \"E-mail\".": "Nessuna colonna di questo file contiene indirizzi e-mail. Aggiungine una con l'intestazione «E-mail».",
		"%d address was read from “%s”, column “%s”.":                                          "È stato letto %d indirizzo da «%s», colonna «%s».",
		"%d addresses were read from “%s”, column “%s”.":                                       "Sono stati letti %d indirizzi da «%s», colonna «%s».",
		"%d address was read from “%s”.":                                                       "È stato letto %d indirizzo da «%s».",
		"%d addresses were read from “%s”.":                                                    "Sono stati letti %d indirizzi da «%s».",
		"Not used: %s.":                                                                        "Non usate: %s.",
		"These are more than %d people, the most that can be added at once. Split the list.":   "Sono più di %d persone, il massimo che si può aggiungere in una volta. Dividi l'elenco.",

		"Full name":      "Nome completo",
		"Student number": "Numero di matricola",
		"Section":        "Gruppo",

		"a PDF":                        "un PDF",
		"a picture":                    "un'immagine",
		"a program":                    "un programma",
		"a spreadsheet of before 2007": "un foglio di calcolo precedente al 2007",
		"a text document":              "un documento di testo",
		"a web page":                   "una pagina web",
		"This is %s, and not a list. Save the list as CSV or XLSX and choose that file.":                                                                       "Questo è %s e non un elenco. Salva l'elenco come CSV o XLSX e scegli quel file.",
		"This is no text and no spreadsheet. Save the list as CSV or XLSX and choose that file.":                                                               "Questo non è né un testo né un foglio di calcolo. Salva l'elenco come CSV o XLSX e scegli quel file.",
		"This is no spreadsheet that can be read: it is damaged, protected by a password, or larger than it looks. Save the list as CSV and choose that file.": "Questo foglio di calcolo non si legge: è danneggiato, protetto da una password o più grande di quanto sembri. Salva l'elenco come CSV e scegli quel file.",
		"This spreadsheet is damaged after row %d. Save the list as CSV and choose that file.":                                                                 "Questo foglio di calcolo è danneggiato dopo la riga %d. Salva l'elenco come CSV e scegli quel file.",
		"This spreadsheet is damaged at row %d. Save the list as CSV and choose that file.":                                                                    "Questo foglio di calcolo è danneggiato alla riga %d. Salva l'elenco come CSV e scegli quel file.",
		"This spreadsheet is empty. Choose the one with the list in it.":                                                                                       "Questo foglio di calcolo è vuoto. Scegli quello con l'elenco.",
		"This file is empty. Choose the one with the list in it.":                                                                                              "Questo file è vuoto. Scegli quello con l'elenco.",
		"This file has %d MB: at most %d MB can be read. Split it.":                                                                                            "Questo file ha %d MB: se ne possono leggere al massimo %d. Dividilo.",
		"This file has more than %d rows. Split it.":                                                                                                           "Questo file ha più di %d righe. Dividilo.",
		"Row %d has %d columns: at most %d can be read.":                                                                                                       "La riga %d ha %d colonne: se ne possono leggere al massimo %d.",
		"Cell %d of row %d has more than %d characters. Perhaps a quotation mark is missing before it.":                                                        "La cella %d della riga %d ha più di %d caratteri. Forse prima manca una virgoletta.",
		"Columns %d and %d are both called %q. Remove or rename one of them.":                                                                                  "Le colonne %d e %d si chiamano entrambe %q. Togline o rinominane una.",
		"Line %d cannot be read: a quotation mark stands where none belongs.":                                                                                  "La riga %d non si legge: c'è una virgoletta fuori posto.",
		"The row after line %d never ends. Perhaps a quotation mark is missing in it.":                                                                         "La riga dopo la %d non finisce mai. Forse vi manca una virgoletta.",
	})
}
