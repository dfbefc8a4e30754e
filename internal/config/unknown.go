package config

import (
	"maps"
	"slices"
	"strings"
)

// plain are the variables with fixed names.
var plain = append([]string{
	varAddr, varURL, varDatabase, varAdmins, varSignUp, varDirectory, varNamingDomains,
	varSMTP, varMailFrom, varTrustedProxies, varPendingDays, varTimeZone, varSourcesFolder, varSourcesHosts, varWebhooksHosts, varCORSOrigins, varToken,
}, withPrefix(googlePrefix, googleFields)...)

func withPrefix(begin string, ends []string) []string {
	var list []string
	for _, end := range ends {
		list = append(list, begin+end)
	}
	return list
}

// refuseUnknown stops at a variable that this version does not know: it is a
// slip of the pen, or meant for another version, and either way something that
// the operator wants does not happen.
func (v variables) refuseUnknown() error {
	for _, variable := range slices.Sorted(maps.Keys(v)) {
		if slices.Contains(plain, variable) {
			continue
		}
		if _, _, ok := cutOIDC(variable); ok {
			continue
		}
		if strings.HasPrefix(variable, oidcPrefix) {
			return wrong(variable, "is not known: the variables of a provider are %s<NAME>_ with %s at the end, and NAME is capital letters, digits and _, beginning with a letter",
				oidcPrefix, strings.Join(oidcFields, ", "))
		}
		if near := nearest(variable); near != "" {
			return wrong(variable, "is not known: did you mean %s?", near)
		}
		return wrong(variable, "is not known: remove it, or look its name up (the variables are %s, and those of %s<NAME>_…)", strings.Join(plain, ", "), oidcPrefix)
	}
	return nil
}

// nearest is the known variable that is at most three slips away.
func nearest(variable string) string {
	best, slips := "", 4
	for _, known := range plain {
		if n := distance(variable, known); n < slips {
			best, slips = known, n
		}
	}
	return best
}

// distance counts the letters to add, drop or change to make a into b
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
