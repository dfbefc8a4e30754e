package scim

import (
	"errors"
	"strings"
	"testing"

	"matricula/internal/service"
)

var somebody = resource{
	"id": "12", "userName": "ada@uni.example", "active": true, "name": map[string]any{"familyName": "Lovelace"},
	"emails": []map[string]any{{"value": "ada@uni.example", "type": "work", "primary": true}}, "schemas": []string{userSchema},
	personSchema: map[string]any{"status": "pending", "subject": "S-1"}, "meta": map[string]any{"created": "2026-09-01T08:00:00Z"},
}

func TestPrecedenceAndTypesOfFilters(t *testing.T) {
	for filter, want := range map[string]bool{
		`active eq true or active eq false and userName eq "x"`:                                  true,
		`(active eq true or active eq false) and userName eq "x"`:                                false,
		`not (active eq true) or userName pr`:                                                    true,
		`name.familyName ge "love" and name.familyName le "lovelace"`:                            true,
		`userName ne "ADA@uni.example"`:                                                          false,
		`emails[primary eq true and not (type eq "home")]`:                                       true,
		`emails[type eq "x" or type eq "y" or (type eq "work" and value pr)] and active eq true`: true,
		`emails[value eq "]["] or active eq true`:                                                true,
		`emails.type ne "work"`:                                                                  false,
		`schemas eq "` + userSchema + `"`:                                                        true,
		personSchema + `:subject eq "s-1"`:                                                       false,
		personSchema + `:subject eq "S-1"`:                                                       true,
		`meta.created gt "2026-09-01T09:00:00+02:00"`:                                            true,
		`meta.created eq "2026-09-01T10:00:00+02:00"`:                                            true,
		`id lt 2`:                            true, // texts, as the standard says of an id
		`externalId eq null`:                 true,
		`userName ne null`:                   true,
		`name co "Love"`:                     false,
		`userName eq "\u0061da@uni.example"`: true,
		`name.familyName sw "\ud83d\ude00"`:  false,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department pr`: false,
		`urn:ietf:params:scim:schemas:core:2.0:User:name.familyName eq "lovelace"`: true,
		`active eq "TRUE"`:    true,
		`active eq "perhaps"`: false,
		strings.Repeat("(", 40) + "active eq true" + strings.Repeat(")", 40):       true,
		strings.TrimSuffix(strings.Repeat(`userName eq "nobody" or `, 60), " or "): false,
	} {
		e, err := parse(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := matches(e, somebody); got != want {
			t.Errorf("%s: %v", filter, got)
		}
	}
}

// FuzzFilter holds any text for a filter and a path: it is one, or refused as the
// standard says, and nothing falls over.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`userName eq "x"`, `emails[type eq "work"].value`, `not (a pr) and b co "\u00e8\\\""`, `members[value eq "1" or value eq "2"]`, `a eq 1e9`, `a eq -0.5 or (b pr)`,
		`urn:a:b:c.d eq null`, `"`, `\`, `a eq "\u"`, `a eq "\ud800"`, "a eq \"\x00\"", "\xff", `((((`, `a[b[c eq 1]]`, userSchema, personSchema + ":subject",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := parse(s)
		var known *refusal
		if err == nil {
			matches(e, somebody)
			mentions(e, "members")
			for _, one := range conditions(e) {
				equals(one)
			}
		} else if !errors.As(err, &known) || known.status != 400 || known.scimType != invalidFilter {
			t.Errorf("%q: %v", s, err)
		}
		if _, err := parsePath(s); err != nil && (!errors.As(err, &known) || known.status != 400) {
			t.Errorf("%q as a path: %v", s, err)
		}
		if sel, err := selectionOf(s, ""); err == nil {
			sel.of(somebody)
			sel.wants("members")
		}
		if sel, err := selectionOf("", s); err == nil {
			sel.of(somebody)
			sel.wants("members")
		}
	})
}

// FuzzObject reads any body.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{
		`{"userName":"x","active":"False"}`, `{"Operations":[{"op":"Replace","path":"active","value":[{"value":"False"}]}]}`, `{"a":{"A":1,"a":2}}`, `{"members":[{"value":1}]}`, `[[[[`, `{"operations":[{"op":"remove","path":"members[value eq \"1\"]"}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := readObject(strings.NewReader(s))
		if err != nil {
			return
		}
		_ = o.checkSchemas(patchSchema)
		var fields service.ProvisionedFields
		_ = setAll(&fields, o)
		r := newRoll()
		_ = r.setAll(o)
		ops, err := operations(o)
		if err != nil {
			return
		}
		for _, op := range ops {
			_ = patchPerson(&fields, op)
			_ = r.patch(op)
		}
		r.change()
	})
}
