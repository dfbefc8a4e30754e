package lang

// Words that many pages share.
func init() {
	italian.add(entries{
		"Save":   "Salva",
		"Cancel": "Annulla",
	})
}
