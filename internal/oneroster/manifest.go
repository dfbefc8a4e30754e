package oneroster

import (
	"strings"

	"matricula/internal/lms"
)

// Manifest is what manifest.csv says about a bundle.
type Manifest struct {
	Version    string        // of OneRoster: "1.1" or "1.2"
	Modes      map[File]Mode // of the tables that are read; what is not there is absent
	SystemName string        // of the system that exported it; may be empty
	SystemCode string        // which of them; may be empty
}

const manifestFile = "manifest.csv"

// readManifest reads manifest.csv and compares it with the files that are there.
// What it says and what is there must agree: taking a table for absent that was
// only called otherwise would take everybody out of their classes.
func (b *Bundle) readManifest() error {
	if _, ok := b.files[manifestFile]; !ok {
		return lms.Invalid("oneroster-manifest", manifestFile, "There is no manifest.csv here. Export OneRoster CSV 1.1 or 1.2 from the student system, and choose the archive as it is.")
	}
	properties := map[string]string{}
	for r, err := range b.rows(manifestFile, Bulk, []string{"propertyName", "value"}) {
		if err != nil {
			return err
		}
		name := strings.ToLower(r.get("propertyname"))
		if _, twice := properties[name]; twice {
			return lms.Invalid("oneroster-manifest", r.at("propertyName"), "manifest.csv, line %d: %q stands there twice. Remove one of them.", r.line, lms.Clip(r.get("propertyname"), 60))
		}
		if len(properties) == MaxFiles {
			return errTooManyFiles()
		}
		properties[name] = r.get("value")
	}
	m := Manifest{SystemName: properties["source.systemname"], SystemCode: properties["source.systemcode"], Modes: map[File]Mode{}}
	for _, v := range []string{"1.1", "1.2"} {
		if said := properties["oneroster.version"]; said == v || strings.HasPrefix(said, v+".") {
			m.Version = v
		}
	}
	if m.Version == "" {
		return lms.Invalid("oneroster-manifest", manifestFile, "manifest.csv says that this is OneRoster %q: 1.1 and 1.2 can be read. Choose one of them in the student system.", lms.Clip(properties["oneroster.version"], 20))
	}
	for _, f := range Files {
		said := properties["file."+strings.ToLower(string(f))]
		mode := Mode(strings.ToLower(said))
		_, there := b.files[strings.ToLower(f.csv())]
		switch {
		case mode == "" || mode == Absent:
			if there {
				return lms.Invalid("oneroster-manifest", manifestFile, "There is a file %s, but manifest.csv says that it is absent. Correct the line \"file.%s\", or remove the file.", f.csv(), string(f))
			}
			continue
		case mode != Bulk && mode != Delta:
			return lms.Invalid("oneroster-manifest", manifestFile, "manifest.csv says %q of %s: it may say absent, bulk or delta.", lms.Clip(said, 40), f.csv())
		case !there:
			return lms.Invalid("oneroster-manifest", manifestFile, "manifest.csv promises %s, and it is not there. Add the file, or say that it is absent.", f.csv())
		}
		m.Modes[f] = mode
	}
	if len(m.Modes) == 0 {
		return lms.Invalid("oneroster-manifest", manifestFile, "manifest.csv names none of the files that are read here, such as users.csv. Choose in the student system what to export.")
	}
	b.Manifest = m
	return nil
}
