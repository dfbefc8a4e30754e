package scim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	filter "github.com/scim2/filter-parser/v2"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// The schemas of a user. The last is Matricula's own.
const (
	userSchema   = "urn:ietf:params:scim:schemas:core:2.0:User"
	personSchema = "urn:ietf:params:scim:schemas:extension:matricula:2.0:User"
)

// user shows a person as a resource. Everybody has one address, which is the userName:
// further ones of a person are theirs to manage.
func (s *SCIM) user(p *service.ProvisionedUser) resource {
	res := resource{
		"schemas": []string{userSchema, personSchema}, "id": strconv.FormatInt(p.ID, 10), "userName": string(p.Email),
		"active": p.Status != lms.StatusSuspended,
		"emails": []map[string]any{{"value": string(p.Email), "type": "work", "primary": true}},
	}
	name := map[string]any{}
	for k, v := range map[string]string{"givenName": p.GivenName, "familyName": p.FamilyName, "formatted": strings.TrimSpace(p.GivenName + " " + p.FamilyName)} {
		if v != "" {
			name[k] = v
		}
	}
	if len(name) > 0 {
		res["name"] = name
	}
	if p.Name != "" {
		res["displayName"] = p.Name
	}
	if p.ExternalID != "" {
		res["externalId"] = p.ExternalID
	}
	person := map[string]any{"status": string(p.Status)}
	if p.Subject != "" {
		person["subject"] = p.Subject
	}
	res[personSchema] = person
	version := versionOf(res)
	res["meta"] = map[string]any{
		"resourceType": "User", "created": timeOf(p.CreatedAt), "lastModified": timeOf(p.ChangedAt),
		"location": s.url + "/Users/" + strconv.FormatInt(p.ID, 10), "version": version,
	}
	return res
}

func timeOf(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// versionOf tells one state of a resource from another.
func versionOf(res resource) string {
	b, _ := json.Marshal(res) // of texts alone, in the order of the names
	sum := sha256.Sum256(b)
	return `W/"` + hex.EncodeToString(sum[:8]) + `"`
}

func (s *SCIM) listUsers(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	page, total, err := s.users(c, q)
	if err != nil {
		return err
	}
	return c.list(q, total, page)
}

// users finds what a query asks for. A condition that an index can answer is left to
// the database, and the rest is held against each that is found.
func (s *SCIM) users(c *call, q query) ([]resource, int, error) {
	ask := service.ProvisioningQuery[service.ProvisionedUser]{First: q.start - 1, Limit: q.count}
	where := q.where
	for i, e := range q.where {
		name, value, ok := equals(e)
		if !ok {
			continue
		}
		switch name {
		case "username", "emails", "emails.value":
			ask.Address = &value
		case "externalid":
			ask.ExternalID = &value
		case "id":
			id, _ := parseID(value) // 0, which nobody has, when it is none
			ask.ID = &id
		default:
			continue
		}
		where = append(append([]filter.Expression{}, q.where[:i]...), q.where[i+1:]...)
		break
	}
	if len(where) > 0 {
		ask.Match = func(p *service.ProvisionedUser) bool { return all(where, s.user(p)) }
	}
	list, total, err := s.svc.ProvisionedUsers(c.r.Context(), c.caller, ask)
	page := make([]resource, len(list))
	for i := range list {
		page[i] = s.user(&list[i])
	}
	return page, total, err
}

func (s *SCIM) readUser(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	sel, err := c.selection()
	if err != nil {
		return err
	}
	p, err := s.svc.ProvisionedUser(c.r.Context(), c.caller, id)
	if err != nil {
		return err
	}
	res := s.user(&p)
	if c.unchanged(res) {
		return nil
	}
	return c.send(http.StatusOK, res, sel)
}

func (s *SCIM) createUser(c *call) error {
	body, sel, err := c.resource(userSchema)
	if err != nil {
		return err
	}
	f := service.ProvisionedFields{Active: true}
	if err := setAll(&f, body); err != nil {
		return err
	}
	p, err := s.svc.ProvisionUser(c.r.Context(), c.caller, f)
	if err != nil {
		return err
	}
	return c.send(http.StatusCreated, s.user(&p), sel)
}

// resource reads a whole resource that was sent.
func (c *call) resource(schema string) (object, selection, error) {
	sel, err := c.selection()
	if err != nil {
		return nil, sel, err
	}
	body, err := c.body()
	if err != nil {
		return nil, sel, err
	}
	return body, sel, body.checkSchemas(schema)
}

// replaceUser sets what was sent and empties what was not. Whether somebody is active
// stays as it is when nothing is said about it (RFC 7644, section 3.5.1).
func (s *SCIM) replaceUser(c *call) error {
	body, sel, err := c.resource(userSchema)
	if err != nil {
		return err
	}
	return s.changeUser(c, sel, func(was service.ProvisionedFields) (service.ProvisionedFields, error) {
		f := service.ProvisionedFields{Active: was.Active}
		return f, setAll(&f, body)
	})
}

func (s *SCIM) patchUser(c *call) error {
	body, sel, err := c.resource(patchSchema)
	if err != nil {
		return err
	}
	ops, err := operations(body)
	if err != nil {
		return err
	}
	return s.changeUser(c, sel, func(f service.ProvisionedFields) (service.ProvisionedFields, error) {
		for _, op := range ops {
			if err := patchPerson(&f, op); err != nil {
				return f, err
			}
		}
		return f, nil
	})
}

func (s *SCIM) changeUser(c *call, sel selection, change func(service.ProvisionedFields) (service.ProvisionedFields, error)) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	p, err := s.svc.ChangeProvisioned(c.r.Context(), c.caller, id, func(p service.ProvisionedUser) (service.ProvisionedFields, error) {
		version, _ := s.user(&p)["meta"].(map[string]any)["version"].(string)
		if err := c.same(version); err != nil {
			return service.ProvisionedFields{}, err
		}
		return change(service.FieldsOf(&p))
	})
	if err != nil {
		return err
	}
	return c.send(http.StatusOK, s.user(&p), sel)
}

func (s *SCIM) deleteUser(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	if err := s.svc.EndProvisioned(c.r.Context(), c.caller, id); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// searchAll looks among users and groups, users first.
func (s *SCIM) searchAll(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	page, total, err := s.users(c, q)
	if err != nil {
		return err
	}
	left := q
	left.start, left.count = max(q.start-total, 1), q.count-len(page)
	groups, more, err := s.groups(c, left)
	if err != nil {
		return err
	}
	return c.list(q, total+more, append(page, groups...))
}
