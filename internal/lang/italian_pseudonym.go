package lang

// What somebody is called who was erased.
func init() {
	italian.add(entries{"Person %s (erased)": "Persona %s (cancellata)"})
}
