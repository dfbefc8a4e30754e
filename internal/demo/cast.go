package demo

import (
	"strings"

	"matricula/internal/lms"
)

// Those of the cast who have a part in the story. Their names are borrowed from
// the history of science; what they do here is invented.
const (
	ada      = "ada@uni.example"      // owns Algorithms
	florence = "florence@uni.example" // administrator
	emilie   = "emilie@uni.example"
	sofja    = "sofja@uni.example"
	caroline = "caroline@uni.example"
	carl     = "carl@uni.example"
	alhazen  = "alhazen@uni.example"
	niels    = "niels@uni.example"
	sophie   = "sophie@uni.example"
	evariste = "evariste@uni.example"
	charles  = "charles@uni.example"
	bernhard = "bernhard@uni.example"
	hertha   = "hertha@uni.example"
	joseph   = "joseph@uni.example"
	johannes = "j.weiss@hochschule-köln.example"
	mary     = "mary@uni.example"
	banks    = "banks@uni.example"
	merian   = "merian@uni.example"

	// grace is known to the provider and to nobody in the school: the story is
	// that Ada names her.
	grace = "grace@uni.example"
)

var staff = []Account{
	{ada, "Ada", "Lovelace", "owns the course Algorithms"},
	{grace, "Grace", "Hopper", "a colleague of Ada's"},
	{florence, "Florence", "Nightingale", "administrator"},
	{niels, "Niels", "Abel", "assistant in Algorithms"},
	{sophie, "Sophie", "Germain", "was named as assistant in Algorithms"},
	{evariste, "Évariste", "Galois", "lab tutor in Algorithms"},
	{charles, "Charles", "Babbage", "was named to see the audit of Algorithms"},
	{emilie, "Émilie", "du Châtelet", "owns Mechanics"},
	{sofja, "Софья", "Ковалевская", "owns Analysis"},
	{caroline, "Caroline", "Herschel", "owns Astronomy"},
	{carl, "Carl", "von Linné", "owns Botany"},
	{alhazen, "الحسن", "ابن الهيثم", "owns Optics"},
	{bernhard, "Bernhard", "Riemann", "assistant in Analysis"},
	{hertha, "Hertha", "Ayrton", "was named as observer in Mechanics"},
	{joseph, "Joseph", "Fraunhofer", "assistant in Optics"},
	{johannes, "Johannes", "Weiß", "was named as observer in Algorithms, from another school"},
	{mary, "Mary", "Somerville", "was named as observer in Astronomy"},
	{banks, "Joseph", "Banks", "was named as teacher in Botany"},
	{merian, "Maria", "Merian", "assistant in Botany"},
}

// Given and family names, each with how it is written in an address. Their
// numbers have no common divisor, so that no two students are namesakes.
var (
	givenNames = []string{
		"Amara", "Björn|bjoern", "Chloé|chloe", "Dmitri", "Eszter", "Fatima", "Gonçalo|goncalo", "Hana", "İpek|ipek", "Jürgen|juergen",
		"Κατερίνα|katerina", "Léa|lea", "Małgorzata|malgorzata", "Nuño|nuno", "Oona", "Þór|thor", "Quentin", "Renée|renee", "Søren|soeren", "Tomáš|tomas",
		"Ursula", "Věra|vera", "Wanjiru", "Xóchitl|xochitl", "Yūki|yuki", "Zoë|zoe", "Aisha", "Олег|oleg", "Bình|binh", "Carmen",
		"Dáithí|daithi", "Emil", "Farid", "Gwendolyn", "Håkon|haakon", "Inés|ines", "Jožef|jozef", "Kofi", "李|li", "Miyu",
	}
	familyNames = []string{
		"Adeyemi", "Brânză|branza", "Çelik|celik", "Dvořák|dvorak", "Esposito", "Fernández|fernandez", "García|garcia", "Haddad", "Иванова|ivanova", "Johansson",
		"Kowalski", "Łukasiewicz|lukasiewicz", "Müller|mueller", "Nguyễn|nguyen", "O'Brien", "Παπαδοπούλου|papadopoulou", "Quispe", "Rossi", "Šimić|simic", "Takahashi",
		"Ullmann", "de Vries|devries", "Wójcik|wojcik", "Ximénez|ximenez", "Yılmaz|yilmaz", "Žižka|zizka", "Åberg|aaberg", "Bjarnadóttir|bjarnadottir", "Cohen", "Dubois",
		"Østergård|oestergaard", "Fischer", "Guðmundsson|gudmundsson", "Horváth|horvath", "Ibrahim", "王|wang", "Kaya", "Lefèvre|lefevre", "Mensah", "Novák|novak", "Okafor",
	}
)

// studentCount makes, with the staff but for Grace, a school of 200 people.
const studentCount = 182

// student is the student of a number, from 0 to studentCount-1.
func student(n int) Account {
	given, asGiven := spelled(givenNames[n%len(givenNames)])
	family, asFamily := spelled(familyNames[n%len(familyNames)])
	note := "student, was named and has never signed in"
	if arrives(n) {
		note = "student"
	}
	return Account{asGiven + "." + asFamily + "@uni.example", given, family, note}
}

// spelled parts a name from how an address writes it.
func spelled(entry string) (name, local string) {
	name, local, ok := strings.Cut(entry, "|")
	if !ok {
		local = strings.ToLower(entry) // plain letters: a test holds every address to the rules
	}
	return name, local
}

// arrives tells whether a student has signed in before the demo begins: nearly
// every other one, so that half of the school is pending.
func arrives(n int) bool { return n%2 == 0 && n < 176 }

// students are the addresses of the students from one number up to another.
func students(from, to int) []string {
	var list []string
	for n := from; n < to; n++ {
		list = append(list, student(n).Email)
	}
	return list
}

// Accounts are all whom the demo's provider knows: the school's 200 people, and
// Grace Hopper, who is new. The ones most useful to the story come first.
func Accounts() []Account {
	list := append([]Account{}, staff[:4]...)
	list = append(list, student(algorithmsFrom), student(algorithmsFrom+1))
	list = append(list, staff[4:]...)
	for n := range studentCount {
		if n != algorithmsFrom && n != algorithmsFrom+1 {
			list = append(list, student(n))
		}
	}
	return list
}

// account finds somebody of the cast.
func account(typed string) (Account, bool) {
	email, err := lms.ParseEmail(typed)
	if err != nil {
		return Account{}, false
	}
	for _, a := range Accounts() {
		if known, err := lms.ParseEmail(a.Email); err == nil && known == email {
			return a, true
		}
	}
	return Account{}, false
}
