package lang

// Catalogs are the translations by their languages, English aside.
func Catalogs() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, c := range catalogs {
		if c != english {
			all[c.tag.String()] = c.texts
		}
	}
	return all
}
