package oauth

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"matricula/internal/lms"
)

// maxForm is the most that a request may send, in bytes: more than an ID token of
// the size that package signin reads.
const maxForm = 96 << 10

// form is what was sent, each parameter once.
type form struct{ values url.Values }

// repeatable are the parameters that RFC 8693, section 2.1, lets come several
// times.
var repeatable = []string{"audience", "resource"}

func malformed(description string) *refusal {
	return &refusal{http.StatusBadRequest, invalidRequest, "malformed", description}
}

// readForm reads the parameters of a request (RFC 6749, section 3.2): from its
// body alone, and none twice. Parameters that we do not know are of no account.
// Clients have no secrets here, and one that shows a secret takes us for another.
func readForm(w http.ResponseWriter, r *http.Request) (form, error) {
	if len(r.Header.Values("Authorization")) > 0 {
		return form{}, &refusal{http.StatusUnauthorized, invalidClient, "client", "Clients are not authenticated here: leave the Authorization header out."}
	}
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		return form{}, malformed("Parameters belong into the body, where no log keeps them. Send none in the address.")
	}
	if !isForm(r.Header.Values("Content-Type")) {
		return form{}, malformed("The body must be application/x-www-form-urlencoded.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return form{}, &refusal{http.StatusRequestEntityTooLarge, invalidRequest, "too-large", "This is more than any ID token needs."}
	case err != nil:
		return form{}, malformed("The body ended before it was complete.")
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return form{}, malformed("The body cannot be read as application/x-www-form-urlencoded.")
	}
	return form{values}, checkForm(values)
}

func checkForm(values url.Values) error {
	for name, all := range values {
		if len(all) > 1 && !slices.Contains(repeatable, name) {
			return malformed("A parameter must not be there twice.")
		}
		for _, s := range append(all, name) {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				return malformed("The parameters must be UTF-8.")
			}
		}
	}
	if values.Get("client_secret") != "" || values.Get("client_assertion") != "" {
		return &refusal{http.StatusBadRequest, invalidClient, "client", "Clients are not authenticated here: leave the client's secret out."}
	}
	return nil
}

func isForm(values []string) bool {
	if len(values) != 1 {
		return false
	}
	kind, parameters, err := mime.ParseMediaType(values[0])
	charset, given := parameters["charset"]
	return err == nil && kind == "application/x-www-form-urlencoded" && (!given || strings.EqualFold(charset, "utf-8"))
}

// get is a parameter; one without a value is as good as none (RFC 6749, section
// 3.2).
func (f form) get(name string) string { return f.values.Get(name) }

// scopes reads the scope parameter (RFC 6749, section 3.3); none when it is not
// there.
func (f form) scopes() ([]lms.Scope, error) {
	typed := f.get("scope")
	if typed == "" {
		return nil, nil
	}
	scopes, err := lms.ParseScopes(strings.Split(typed, " "), "scope")
	if err == nil && slices.Contains(scopes, lms.ScopeSCIM) {
		err = lms.Invalid("unknown-scope", "scope", "A program has no scope scim.")
	}
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, invalidScope, lms.TypeOf(err), "There are the scopes read and write, with one blank between the two."}
	}
	return scopes, nil
}
