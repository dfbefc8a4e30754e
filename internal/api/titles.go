package api

import (
	"net/http"
	"strings"
)

// titles are the kinds of problems, for people. The keys are the last parts of
// problem types, which never change their meaning. A test finds the ones that
// are missing.
var titles = map[string]string{
	// The request.
	"malformed":              "The request cannot be read",
	"invalid":                "Something in the request is not acceptable",
	"content-type":           "The body is not JSON",
	"cursor":                 "The cursor does not belong to this list",
	"method":                 "Another method is needed",
	"no-route":               "There is nothing at this address",
	"too-large":              "Too much at once",
	"too-many-rows":          "Too many people at once",
	"two-addresses":          "Two addresses for one person",
	"two-forms":              "Two ways to say the same",
	"unknown-language":       "There is no such language here",
	"nobody-selected":        "Nobody is selected",
	"nothing-chosen":         "Nothing is chosen",
	"nothing-to-undo":        "There is nothing to undo",
	"changed-meanwhile":      "Somebody else has changed it meanwhile",
	"nobody-named":           "Nobody is named",
	"idempotency-key":        "The Idempotency-Key cannot be used",
	"idempotency-key-reused": "The Idempotency-Key was used for something else",
	"cross-origin":           "The request came from another site",

	// Codes and addresses.
	"no-proof":           "There is no code to wait for",
	"no-notice":          "This does not belong to anybody who is awaited",
	"too-many-notices":   "Too many people were told within a day",
	"no-mail":            "This site sends no mail",
	"code-missing":       "The code is missing",
	"code-wrong":         "That is not the code",
	"too-many-codes":     "Too many codes were sent",
	"too-soon":           "A code was sent just now",
	"address-yours":      "The address is the caller's already",
	"address-waits":      "Things wait for the address under another account",
	"address-primary":    "The address is the primary one",
	"too-many-addresses": "An account has no room for more addresses",

	// Who is calling, and what they may.
	"sign-in-required":      "Nobody is signed in",
	"bad-token":             "The API token is not valid",
	"token-not-enough":      "This cannot be done with an API token",
	"token-scope":           "The API token does not reach this",
	"forbidden":             "This is not allowed to you",
	"beyond-own-privileges": "Nobody can give what they do not hold",
	"higher-person":         "This person holds more than you",
	"self-change":           "Nobody can change what they themselves may do",
	"not-found":             "There is no such thing, or it is not yours to see",

	// The state of things.
	"course-archived":     "The course is archived",
	"course-not-archived": "The course is in use",
	"last-owner":          "A course needs an owner",
	"owner-holds-all":     "An owner holds everything",
	"other-role":          "The person has another role already",
	"never-in-course":     "The person was never in the course",
	"not-in-course":       "The person is not in the course",
	"already-enrolled":    "The person is in the course already",
	"listed-twice":        "The person is listed more than once",
	"in-other-section":    "The person is in a section of others",
	"owner-in-list":       "A list does not take a course away",
	"import-busy":         "The class list is being worked on",
	"import-over":         "The class list is over and done with",
	"import-not-begun":    "The class list has changed nothing",
	"confirm-leaving":     "People would leave whom nobody has looked at",
	"no-rows":             "There is nobody in the list",
	"no-address-column":   "No column holds the addresses",
	"unknown-column":      "There is no such column",
	"unknown-row":         "There is no such row",
	"unknown-choice":      "There is no such choice",
	"cell-too-long":       "A cell is too long",
	"column-twice":        "Two columns have the same heading",
	"date-unreadable":     "A date cannot be read",
	"file-empty":          "The file is empty",
	"file-kind":           "The file is no list that can be read",
	"file-too-large":      "The file is too large",
	"letters-lost":        "Letters were lost when the file was saved",
	"letters-unknown":     "The letters of the file cannot be read",
	"row-too-long":        "A row is too long",
	"row-unreadable":      "A row cannot be read",
	"too-many-columns":    "There are too many columns",
	"not-yes-or-no":       "This is neither yes nor no",
	"source-name":         "The source needs a name",
	"source-kind":         "This kind of source cannot do that",
	"source-place":        "The place cannot be used",
	"source-not-allowed":  "This server may not fetch from there",
	"source-brake":        "The brake is a share",
	"source-minutes":      "The time between two looks cannot be used",
	"source-busy":         "A list of the source is being worked on",
	"source-off":          "The source is switched off",
	"source-owner":        "The source has lost its administrator",
	"source-is-bundle":    "The file is a bundle, and the source is for a list",
	"source-empty":        "There is no list at the place",
	"source-unsettled":    "The file is still being written",
	"source-unreadable":   "The place cannot be read",
	"source-unreachable":  "The place does not answer",
	"too-many-sources":    "There are too many sources",
	"unknown-course":      "There is no such course",
	"run-not-waiting":     "The run does not wait for anybody",
	"outside-sections":    "This reaches beyond the sections of the caller",
	"owner-unlimited":     "An owner is there for all of the course",
	"section-in-use":      "Somebody is limited to the section",
	"section-name":        "The section needs a name",
	"section-name-taken":  "Another section has this name",
	"too-many-sections":   "There are too many sections",
	"unknown-section":     "The course has no such section",
	"date":                "This is no date",
	"dates-reversed":      "The last day lies before the first",
	"preset-role":         "Built-in roles stay as they are",
	"role-in-use":         "The role is in use",
	"token-shown-once":    "A token is shown only once",
	"too-many-tokens":     "There are too many tokens",
	"not-active":          "The account is not active",
	"other-site-role":     "The account has another site role",
	"term-in-use":         "Something still belongs to it",
	"address-taken":       "Somebody has this address",
	"address-unknown":     "Nobody has this address",
	"not-all-yours":       "Others have given something to this person",
	"not-pending":         "The person does not wait any more",
	"person-gone":         "Whoever had the address is gone",

	// What was written.
	"allowed-and-denied":     "Both allowed and denied",
	"unknown-privilege":      "There is no such privilege",
	"unknown-role":           "The course has no such role",
	"unknown-site-role":      "There is no such site role",
	"unknown-scope":          "There is no such scope",
	"too-many-courses":       "Too many courses",
	"status":                 "The status cannot be set so",
	"outside-address":        "The address lies outside the school",
	"search-too-short":       "The search is too short",
	"unknown-after":          "It is not clear what the caller wants to be",
	"audit-range":            "The end lies before the beginning",
	"title-missing":          "There is no title",
	"text-missing":           "There is no text",
	"term-order":             "The last day does not come after the first",
	"term-too-long":          "There are too many days",
	"term-outside-year":      "A term would lie outside its academic year",
	"term-name-taken":        "The name is taken",
	"unknown-term":           "There is no such term",
	"publish-time":           "The time lies outside what is possible",
	"name-missing":           "A name is missing",
	"role-name":              "The role needs a name",
	"role-name-taken":        "The name is taken",
	"expiry":                 "The end lies outside what is possible",
	"text-too-long":          "The text is too long",
	"text-not-utf8":          "The text cannot be read",
	"text-control-character": "The text has an invisible control character",

	// Signing in.
	"sign-in-expired":       "The sign-in took too long",
	"sign-in-busy":          "Somebody is signing in with this account",
	"id-token-old":          "The ID token is too old to be exchanged",
	"id-token-used":         "The ID token was exchanged before",
	"refresh-token-invalid": "The refresh token is not valid",
	"refresh-token-reused":  "The refresh token came a second time",
	"scope-exceeded":        "A renewal asked for more than the sign-in",

	// Our side.
	"internal":             "Something went wrong on our side",
	"timeout":              "This took too long",
	"canceled":             "The request was given up",
	"shutting-down":        "The server is restarting",
	"commit-unknown":       "It is not known whether this was saved",
	"storage-full":         "There is no space left",
	"database-busy":        "The database is busy",
	"database-unavailable": "The database cannot be reached",
}

// titleOf names a kind of problem; one that was made elsewhere is named by its
// status.
func titleOf(status int, typ string) string {
	if title, ok := titles[typ]; ok {
		return title
	}
	if strings.HasPrefix(typ, "address-") {
		return "This address cannot be used"
	}
	return http.StatusText(status)
}
