package lms

import "time"

// Section is a group into which a course is parted, such as a lab. Somebody is in
// one section of a course at most.
type Section struct {
	ID        int64
	CourseID  int64
	Name      string
	CreatedBy int64
	CreatedAt time.Time
}

// MaxSections is how many sections a course may have.
const MaxSections = 500

// MaxNumberRunes is the longest student number.
const MaxNumberRunes = 40

// SectionKey is what makes the names of sections equal: letter case and accents
// do not part "Lab A" and "lab a".
func SectionKey(name string) string { return FoldSearch(name) }

// CleanSectionName checks the name of a section.
func CleanSectionName(name, location string) (string, error) {
	clean, err := CleanText(name, location, 60)
	if err != nil {
		return "", err
	}
	if clean == "" || SectionKey(clean) == "" {
		return "", Invalid("section-name", location, "A section needs a name, such as \"Lab A\".")
	}
	return clean, nil
}
