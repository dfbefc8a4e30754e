package scim

import (
	"net/http"
	"strings"

	"matricula/internal/lms"
)

// config says what of SCIM there is (RFC 7643, section 5).
func (s *SCIM) config(c *call) error {
	yes, no := map[string]any{"supported": true}, map[string]any{"supported": false}
	write(c.w, c.r, http.StatusOK, resource{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"},
		"patch":   yes, "sort": no, "changePassword": no, "etag": yes,
		"bulk":   map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter": map[string]any{"supported": true, "maxResults": maxCount},
		"authenticationSchemes": []map[string]any{{
			"type": "oauthbearertoken", "name": "API token", "description": "The token of a directory, in the Authorization header (RFC 6750).", "primary": true,
		}},
		"meta": map[string]any{"resourceType": "ServiceProviderConfig", "location": s.url + "/ServiceProviderConfig"},
	})
	return nil
}

func (s *SCIM) types() []resource {
	make := func(name, plural, schema, description string, extensions ...map[string]any) resource {
		res := resource{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"}, "id": name, "name": name, "endpoint": "/" + plural,
			"description": description, "schema": schema,
			"meta": map[string]any{"resourceType": "ResourceType", "location": s.url + "/ResourceTypes/" + name},
		}
		if len(extensions) > 0 {
			res["schemaExtensions"] = extensions
		}
		return res
	}
	return []resource{
		make("User", "Users", userSchema, "Everybody who was ever named here", map[string]any{"schema": personSchema, "required": false}),
		make("Group", "Groups", groupSchema, "Courses, with those in them who are no staff"),
	}
}

func (s *SCIM) resourceTypes(c *call) error { return c.catalog(s.types()) }

func (s *SCIM) resourceType(c *call) error { return c.one(s.types()) }

func (s *SCIM) schemas(c *call) error { return c.catalog(s.schemaList()) }

func (s *SCIM) schema(c *call) error { return c.one(s.schemaList()) }

// catalog lists what describes the service; a filter is not taken (RFC 7644, section 4).
func (c *call) catalog(list []resource) error {
	if c.r.URL.Query().Has("filter") {
		return &refusal{status: http.StatusForbidden, problem: "scim-no-filter", detail: "This list cannot be filtered."}
	}
	return c.list(query{start: 1}, len(list), list)
}

func (c *call) one(list []resource) error {
	for _, res := range list {
		if id, _ := res["id"].(string); strings.EqualFold(id, c.r.PathValue("name")) {
			return c.send(http.StatusOK, res, selection{})
		}
	}
	return lms.NotFound("resource")
}

// attribute describes one attribute (RFC 7643, section 7).
func attribute(name, kind, description string, with map[string]any) map[string]any {
	a := map[string]any{
		"name": name, "type": kind, "multiValued": false, "description": description, "required": false,
		"mutability": "readWrite", "returned": "default", "uniqueness": "none",
	}
	if kind == "string" || kind == "reference" {
		a["caseExact"] = false
	}
	for k, v := range with {
		a[k] = v
	}
	return a
}

func (s *SCIM) schemaList() []resource {
	readOnly := map[string]any{"mutability": "readOnly"}
	exact := map[string]any{"caseExact": true}
	list := []struct {
		id, name, description string
		attributes            []map[string]any
	}{
		{userSchema, "User", "A person", []map[string]any{
			attribute("userName", "string", "The person's address at the institution", map[string]any{"required": true, "uniqueness": "server"}),
			attribute("name", "complex", "The parts of the name", map[string]any{"subAttributes": []map[string]any{
				attribute("formatted", "string", "The two together", readOnly),
				attribute("familyName", "string", "The family name", nil),
				attribute("givenName", "string", "The given name", nil),
			}}),
			attribute("displayName", "string", "What the person is called here", nil),
			attribute("active", "boolean", "Whether the person may sign in; false suspends at once", nil),
			attribute("emails", "complex", "The one address, which is the userName", map[string]any{"multiValued": true, "mutability": "readOnly", "subAttributes": []map[string]any{
				attribute("value", "string", "The address", readOnly),
				attribute("type", "string", "Always work", readOnly),
				attribute("primary", "boolean", "Always true", readOnly),
			}}),
		}},
		{groupSchema, "Group", "A course", []map[string]any{
			attribute("displayName", "string", "What the directory calls the course, else its code and title", map[string]any{"required": true}),
			attribute("members", "complex", "Who is in the course without being staff", map[string]any{"multiValued": true, "subAttributes": []map[string]any{
				attribute("value", "string", "The id of a user", map[string]any{"mutability": "immutable", "caseExact": true}),
				attribute("$ref", "reference", "The address of the user", map[string]any{"mutability": "readOnly", "referenceTypes": []string{"User"}, "caseExact": true}),
				attribute("type", "string", "Always User", map[string]any{"mutability": "immutable", "canonicalValues": []string{"User"}}),
				attribute("display", "string", "What the user is called", readOnly),
			}}),
		}},
		{personSchema, "Matricula user", "What Matricula has beside", []map[string]any{
			attribute("subject", "string", "Who the person will be at the provider for which the directory speaks", exact),
			attribute("status", "string", "pending until the first sign-in, then active; suspended", map[string]any{"mutability": "readOnly", "canonicalValues": []string{"pending", "active", "suspended"}}),
		}},
	}
	out := make([]resource, len(list))
	for i, l := range list {
		out[i] = resource{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Schema"}, "id": l.id, "name": l.name, "description": l.description, "attributes": l.attributes,
			"meta": map[string]any{"resourceType": "Schema", "location": s.url + "/Schemas/" + l.id},
		}
	}
	return out
}
