package scim

import (
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"matricula/internal/service"
)

// operation is one change of a PATCH (RFC 7644, section 3.5.2).
type operation struct {
	op    string // add, replace or remove
	path  *target
	value any
	given bool // whether there is a value
}

// target is what a path means. Names are in lower case.
type target struct {
	uri   string // of an extension; empty: the resource's own schema
	attr  string // empty: the whole extension
	sub   string
	where filter.Expression // which of several values
}

// maxOperations is far above what directories send in one request.
const maxOperations = 10_000

// operations reads a PATCH. Entra begins the names of operations with a capital.
func operations(body object) ([]operation, error) {
	list, ok := body["operations"].([]any)
	if !ok || len(list) == 0 {
		return nil, bad(invalidSyntax, "Operations has to be a list with at least one operation.")
	}
	if len(list) > maxOperations {
		return nil, bad(tooMany, "These are too many operations for one request. Send several.")
	}
	ops := make([]operation, len(list))
	for i, one := range list {
		o, ok := one.(object)
		if !ok {
			return nil, bad(invalidSyntax, "An operation has to be an object.")
		}
		name, _ := o["op"].(string)
		op := operation{op: strings.ToLower(name)}
		op.value, op.given = o["value"]
		switch op.op {
		case "add", "replace", "remove":
		default:
			return nil, bad(invalidSyntax, "An op is add, replace or remove.")
		}
		switch path := o["path"].(type) {
		case nil:
			if op.op == "remove" {
				return nil, bad(noTarget, "A remove needs a path.")
			}
		case string:
			var err error
			if op.path, err = parsePath(path); err != nil {
				return nil, err
			}
		default:
			return nil, bad(invalidPath, "A path has to be a text.")
		}
		if op.op != "remove" && !op.given {
			return nil, bad(invalidValue, "An "+op.op+" needs a value.")
		}
		ops[i] = op
	}
	return ops, nil
}

// parsePath reads a path. What makes the parser fall over is no path.
func parsePath(raw string) (t *target, err error) {
	unreadable := bad(invalidPath, `The path cannot be read. Write it like name.givenName, or members[value eq "12"].`)
	defer func() {
		if recover() != nil {
			t, err = nil, unreadable
		}
	}()
	raw = strings.TrimSpace(raw)
	if raw == "" || len(raw) > maxFilter {
		return nil, unreadable
	}
	if fold := strings.ToLower(raw); fold == strings.ToLower(personSchema) || fold == strings.ToLower(enterpriseSchema) {
		return &target{uri: fold}, nil
	}
	var where filter.Expression
	if begin := strings.IndexByte(raw, '['); begin >= 0 {
		end := strings.LastIndexByte(raw, ']')
		if end < begin {
			return nil, unreadable
		}
		if where, err = parse(raw[begin+1 : end]); err != nil {
			return nil, err
		}
		raw = raw[:begin] + raw[end+1:]
	}
	p, parseErr := filter.ParsePath([]byte(raw))
	if parseErr != nil {
		return nil, unreadable
	}
	t = &target{uri: strings.ToLower(p.AttributePath.URI()), attr: strings.ToLower(p.AttributePath.AttributeName), sub: strings.ToLower(p.AttributePath.SubAttributeName()), where: where}
	if ours(t.uri) {
		t.uri = ""
	}
	if p.SubAttribute != nil {
		t.sub = strings.ToLower(*p.SubAttribute)
	}
	return t, nil
}

const enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// notKept are attributes of the core schema that directories send and Matricula has no
// use for. They are taken and not kept, so that nothing personal is here in vain, and
// no address that was never proved.
var notKept = map[string]bool{
	"emails": true, "phonenumbers": true, "addresses": true, "nickname": true, "profileurl": true, "title": true, "usertype": true,
	"preferredlanguage": true, "locale": true, "timezone": true, "ims": true, "photos": true, "entitlements": true, "roles": true,
	"x509certificates": true, "password": true, "groups": true,
}

// setAll sets what a resource that was sent holds; what is unknown is left aside.
func setAll(f *service.ProvisionedFields, body object) error {
	for name, v := range body {
		t, err := parseName(name)
		if err != nil || !known(t) {
			continue
		}
		if err := setPerson(f, t, v); err != nil {
			return err
		}
	}
	return nil
}

// parseName reads the name of a member of a resource, which Entra writes as a path too.
func parseName(name string) (*target, error) {
	if !strings.ContainsAny(name, ".:[") {
		return &target{attr: name}, nil
	}
	return parsePath(name)
}

// known tells whether a person has an attribute that can be set.
func known(t *target) bool {
	if t.uri != "" {
		return t.uri == strings.ToLower(personSchema)
	}
	switch t.attr {
	case "username", "name", "displayname", "externalid", "active":
		return true
	}
	return false
}

// patchPerson carries one operation out.
func patchPerson(f *service.ProvisionedFields, op operation) error {
	if op.path == nil {
		o, ok := op.value.(object)
		if !ok {
			return bad(invalidValue, "Without a path, the value has to be an object.")
		}
		return setAll(f, o)
	}
	t := op.path
	switch {
	case t.uri != "" && !known(t), t.uri == "" && notKept[t.attr]:
		return nil
	case t.uri == "" && (t.attr == "id" || t.attr == "meta" || t.attr == "schemas"):
		return bad(mutability, t.attr+" cannot be changed.")
	case !known(t) || t.where != nil:
		return bad(invalidPath, "A user has nothing at this path.")
	}
	if op.op == "remove" {
		if t.attr == "username" || t.attr == "active" {
			return bad(mutability, t.attr+" cannot be removed.")
		}
		return setPerson(f, t, nil)
	}
	return setPerson(f, t, op.value)
}

// setPerson sets one attribute; nil empties it.
func setPerson(f *service.ProvisionedFields, t *target, v any) (err error) {
	if t.uri != "" {
		return setExtension(f, t, v)
	}
	if t.attr == "name" {
		return setName(f, t.sub, v)
	}
	if t.sub != "" {
		return bad(invalidPath, "A user has nothing at this path.")
	}
	switch t.attr {
	case "username":
		f.UserName, err = text(v, "userName")
	case "displayname":
		f.DisplayName, err = text(v, "displayName")
	case "externalid":
		f.ExternalID, err = text(v, "externalId")
	case "active":
		f.Active, err = truth(v, "active")
	}
	return err
}

func setName(f *service.ProvisionedFields, sub string, v any) (err error) {
	switch sub {
	case "":
		if v == nil {
			f.GivenName, f.FamilyName = "", ""
			return nil
		}
		o, ok := v.(object)
		if !ok {
			return bad(invalidValue, "name has to be an object.")
		}
		for k, inner := range o {
			if err := setName(f, k, inner); err != nil {
				return err
			}
		}
		return nil
	case "givenname":
		f.GivenName, err = text(v, "name.givenName")
	case "familyname":
		f.FamilyName, err = text(v, "name.familyName")
	case "formatted", "middlename", "honorificprefix", "honorificsuffix":
		// Formatted follows from the two, and the others are not kept.
	default:
		return bad(invalidPath, "A name has no such part.")
	}
	return err
}

func setExtension(f *service.ProvisionedFields, t *target, v any) (err error) {
	switch t.attr {
	case "":
		if v == nil {
			f.Subject = ""
			return nil
		}
		o, ok := v.(object)
		if !ok {
			return bad(invalidValue, personSchema+" has to be an object.")
		}
		if subject, ok := o["subject"]; ok {
			f.Subject, err = text(subject, "subject")
		}
	case "subject":
		f.Subject, err = text(v, "subject")
	case "status":
		return bad(mutability, "status cannot be changed. Set active.")
	default:
		return bad(invalidPath, "A user has nothing at this path.")
	}
	return err
}
