package lang

func init() {
	italian.add(entries{
		"Visual language": "Linguaggio visivo",
		"Each component in each of its states. What they are for stands in docs/design.md.": "Ogni componente in ogni suo stato. A che cosa servono è scritto in docs/design.md.",
		"Color": "Colore", "Type": "Caratteri", "Buttons": "Pulsanti", "Fields": "Campi", "Switches": "Interruttori", "Badges": "Etichette", "Banners": "Avvertenze",
		"Toast with undo": "Messaggio con annulla", "Dialog": "Finestra di dialogo", "Chart": "Grafico", "Empty": "Vuoto", "Waiting": "In attesa",
		"Heading of a page": "Titolo di una pagina", "Heading of a section": "Titolo di una sezione",
		"A lead says in one sentence what a page is for.": "Un'introduzione dice in una frase a che cosa serve una pagina.",
		"A hint explains a field.":                        "Un suggerimento spiega un campo.",
		"Plain text.":                                     "Testo semplice.", "A link": "Un collegamento", "A checkbox": "Una casella", "A choice": "Una scelta", "Switched off": "Disattivato", "Focused": "Selezionato",
	})
}
