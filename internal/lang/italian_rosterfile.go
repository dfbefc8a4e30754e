package lang

func init() {
	italian.add(entries{
		"Class list": "Elenco della classe",
		"Paste them as they come: one on each line, separated by commas, some columns of a spreadsheet, or the recipients of a mail. It does not matter who has signed in before.": "Incollali come sono: uno per riga, separati da virgole, alcune colonne di un foglio di calcolo o i destinatari di una mail. Non importa chi ha già effettuato l'accesso.",

		"Full name":      "Nome completo",
		"Student number": "Numero di matricola",
		"Section":        "Gruppo",

		"a PDF":     "un PDF",
		"a picture": "un'immagine",
		"a program": "un programma",
		"a spreadsheet of before 2007, or one with a password": "un foglio di calcolo precedente al 2007, o protetto da una password",
		"a text document": "un documento di testo",
		"a web page":      "una pagina web",
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

		"This spreadsheet has %d MB: at most %d MB can be read. Save the list as CSV and choose that file.":                                           "Questo foglio di calcolo ha %d MB: se ne possono leggere al massimo %d. Salva l'elenco come CSV e scegli quel file.",
		"This is an OpenDocument spreadsheet (ODS), which cannot be read. Open it in LibreOffice, save it as XLSX or CSV, and choose that file.":      "Questo è un foglio di calcolo OpenDocument (ODS), che non si legge. Aprilo in LibreOffice, salvalo come XLSX o CSV e scegli quel file.",
		"Cell %d of row %d holds a character that was lost when the file was saved. Correct it there, or save the list as XLSX from where it comes.":  "La cella %d della riga %d contiene un carattere andato perduto quando il file è stato salvato. Correggilo, o salva di nuovo l'elenco come XLSX dal programma da cui viene.",
		"Line %d holds a character that is no UTF-8, while the rest of the file is. Correct it there, or save the list as XLSX and choose that file.": "La riga %d contiene un carattere che non è UTF-8, mentre il resto del file lo è. Correggilo, o salva l'elenco come XLSX e scegli quel file.",
		"Line %d holds letters in an encoding that cannot be told. Save the list as CSV UTF-8 or as XLSX and choose that file.":                       "La riga %d contiene lettere in una codifica che non si riconosce. Salva l'elenco come CSV UTF-8 o come XLSX e scegli quel file.",

		"There is no date here. Write it as 2026-10-31.":                                                                         "Qui non c'è nessuna data. Scrivila come 2026-10-31.",
		"There is no day %q. Write the date as 2026-10-31.":                                                                      "Il giorno %q non esiste. Scrivi la data come 2026-10-31.",
		"%q has no month %d. Write the date as 2026-10-31.":                                                                      "In %q non esiste il mese %d. Scrivi la data come 2026-10-31.",
		"%q has a time of day. Write the day alone, as 2026-10-31.":                                                              "In %q c'è un'ora. Scrivi soltanto il giorno, come 2026-10-31.",
		"%q is a number, and not a date. In the spreadsheet, format the column as a date and save the list again.":               "%q è un numero e non una data. Nel foglio di calcolo, dai alla colonna il formato di una data e salva di nuovo l'elenco.",
		"%q is in the year %s: dates from %s to %s can be read. Leave the cell empty when there is no date.":                     "%q è nell'anno %s: si leggono le date dal %s al %s. Lascia vuota la cella se non c'è una data.",
		"%q is no date that can be read. Write it as 2026-10-31.":                                                                "%q non è una data che si legge. Scrivila come 2026-10-31.",
		"%q may be two days: other cells of this column begin with the day, and others with the month. Write all as 2026-10-31.": "%q può essere due giorni: altre celle di questa colonna cominciano con il giorno, altre con il mese. Scrivile tutte come 2026-10-31.",
		"The year of %q has two digits. Write it with four, as in 2026-10-31.":                                                   "L'anno di %q ha due cifre. Scrivilo con quattro, come in 2026-10-31.",
	})
}
