package scim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"matricula/internal/lms"
	"matricula/internal/service"
)

const (
	personURN     = "urn:ietf:params:scim:schemas:extension:matricula:2.0:User"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// TestADirectoryProvisionsAPerson is the life of a user as the validators of Entra and
// Okta, and suvera's, go through it.
func TestADirectoryProvisionsAPerson(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.ask("GET", filtered("Users", `userName eq "grace@uni.example"`), nil).is(200).has(0, "totalResults").has("[]", "Resources").has(1, "startIndex")
		made := s.ask("POST", "/Users", person("Grace@Uni.example", "externalId", "e-1", "displayName", "Grace H.", "active", true,
			"name", doc{"givenName": "Grace", "familyName": "Hopper", "middleName": "B."},
			"emails", []doc{{"value": "grace@uni.example", "type": "work", "primary": true}, {"value": "grace@home.example", "type": "home"}},
			"phoneNumbers", []doc{{"value": "+39 050"}}, "title", "Admiral", enterpriseURN, doc{"department": "Navy", "manager": doc{"value": "3"}},
		)).is(201).has("grace@uni.example", "userName").has("e-1", "externalId").has("Grace", "name", "givenName").has("Grace Hopper", "name", "formatted").
			has("Grace H.", "displayName").has(true, "active").has("grace@uni.example", "emails", 0, "value").has(nil, "emails", 1).
			has("User", "meta", "resourceType").has("pending", personURN, "status").has(nil, "title").has(nil, enterpriseURN)
		id := made.id()
		if made.Header.Get("Location") != s.URL+"/scim/v2/Users/"+id || made.Header.Get("Location") != made.at("meta", "location") {
			t.Errorf("it is at %q and at %v", made.Header.Get("Location"), made.at("meta", "location"))
		}
		s.ask("GET", "/Users/"+id, nil).is(200).has(id, "id").has("grace@uni.example", "userName")
		s.ask("GET", filtered("Users", `userName eq "GRACE@uni.example"`), nil).has(1, "totalResults").has(id, "Resources", 0, "id")
		s.ask("POST", "/Users", person("grace@UNI.example")).refused(409, "uniqueness")
		s.ask("POST", "/Users", person("else@uni.example", "externalId", "e-1")).refused(409, "uniqueness")
		if n := s.count(`emails WHERE address = 'else@uni.example'`); n != 0 {
			t.Error("a refused user is there")
		}
		// Replaced: what is not sent is emptied, and whether they are active stays.
		s.ask("PUT", "/Users/"+id, person("grace@uni.example", "name", doc{"familyName": "Murray"}, "id", "999", "meta", doc{"created": "x"})).is(200).
			has(id, "id").has(nil, "name", "givenName").has("Murray", "name", "familyName").has(nil, "displayName").has(nil, "externalId").has(true, "active")
		s.ask("PATCH", "/Users/"+id, patch(op("replace", "name.givenName", "Grace"), op("add", "", doc{"displayName": "Amazing Grace", "externalId": "e-2"}))).is(200).
			has("Grace", "name", "givenName").has("Amazing Grace", "displayName").has("e-2", "externalId")
		s.ask("PATCH", "/Users/"+id, patch(op("remove", "displayName", nil), op("remove", "name.givenName", nil))).is(200).has(nil, "displayName").has(nil, "name", "givenName")
		s.ask("DELETE", "/Users/"+id, nil).is(204)
		for _, method := range []string{"GET", "DELETE"} {
			s.ask(method, "/Users/"+id, nil).refused(404, "")
		}
		s.ask("PUT", "/Users/"+id, person("grace@uni.example")).refused(404, "")
		s.ask("PATCH", "/Users/"+id, patch(op("replace", "active", true))).refused(404, "")
		s.ask("GET", filtered("Users", `userName eq "grace@uni.example"`), nil).has(0, "totalResults")
		if again := s.create("grace@uni.example", "externalId", "e-2"); again == id {
			t.Error("the id of somebody who was withdrawn leads to a new person")
		}
	})
}

func TestWhatEntraAndOktaSend(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		id := s.create("grace@uni.example", "externalId", "e-1")
		for _, c := range []struct {
			what string
			body any
			want string // a path and what is there
		}{
			{"Entra's capitals", patch(op("Replace", "displayName", "Grace")), "displayName=Grace"},
			{"Entra's truth", patch(op("Replace", "active", "False")), "active=false"},
			{"and back", patch(op("Replace", "active", "True")), "active=true"},
			{"Entra's list of one value", patch(op("Replace", "active", []doc{{"$ref": nil, "value": "False"}})), "active=false"},
			{"Okta's deactivation and restoring", patch(op("replace", "", doc{"active": true})), "active=true"},
			{"Okta sends the id along", patch(op("replace", "", doc{"id": id, "active": true})), "active=true"},
			{"Entra's paths as names", patch(op("add", "", doc{"name.givenName": "Gr", "name.familyName": "Ho", enterpriseURN + ":department": "IT"})), "name.formatted=Gr Ho"},
			{"an address of a kind", patch(op("Add", `emails[type eq "work"].value`, "other@uni.example")), "userName=grace@uni.example"},
			{"an attribute of the enterprise", patch(op("Add", enterpriseURN+":employeeNumber", "12")), "userName=grace@uni.example"},
			{"a manager", patch(op("Add", enterpriseURN+":manager", "12")), "userName=grace@uni.example"},
			{"a whole extension", patch(op("Add", enterpriseURN, doc{"department": "IT"})), "userName=grace@uni.example"},
			{"a telephone", patch(op("Add", `phoneNumbers[type eq "mobile"].value`, "1")), "userName=grace@uni.example"},
			{"a title", patch(op("replace", "title", "Dr")), "userName=grace@uni.example"},
			{"the schema before the name", patch(op("replace", userURN+":name.familyName", "Hopper")), "name.familyName=Hopper"},
			{"names in any case", `{"SCHEMAS":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"operations":[{"OP":"replace","Path":"DISPLAYNAME","VALUE":"X"}]}`, "displayName=X"},
			{"nothing at all", patch(op("replace", "displayName", "X")), "displayName=X"},
			{"null empties", patch(doc{"op": "replace", "path": "displayName", "value": nil}), "displayName=<nil>"},
			{"the address", patch(op("Replace", "userName", "g.hopper@uni.example")), "userName=g.hopper@uni.example"},
			{"and back to the first", patch(op("Replace", "userName", "grace@uni.example")), "userName=grace@uni.example"},
		} {
			path, want, _ := strings.Cut(c.want, "=")
			var at []any
			for _, p := range strings.Split(path, ".") {
				at = append(at, p)
			}
			a := s.ask("PATCH", "/Users/"+id, c.body)
			a.what = c.what
			a.is(200).has(want, at...)
		}
	})
}

func TestWhatCannotBeCarriedOutIsRefusedInTheWordsOfTheStandard(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		id := s.create("grace@uni.example", "externalId", "e-1", "displayName", "Grace")
		s.create("ada@uni.example", "externalId", "e-2")
		for _, c := range []struct {
			what, method, path string
			body               any
			status             int
			scimType           string
		}{
			{"no JSON", "POST", "/Users", `{`, 400, "invalidSyntax"},
			{"a list", "POST", "/Users", `[]`, 400, "invalidSyntax"},
			{"something behind", "POST", "/Users", `{"userName":"a@uni.example"} {}`, 400, "invalidSyntax"},
			{"a name twice", "POST", "/Users", `{"userName":"a@uni.example","USERNAME":"b@uni.example"}`, 400, "invalidSyntax"},
			{"too deep", "POST", "/Users", strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), 400, "invalidSyntax"},
			{"another schema", "POST", "/Users", doc{"schemas": []string{"urn:x"}, "userName": "a@uni.example"}, 400, "invalidSyntax"},
			{"no address", "POST", "/Users", person(""), 400, "invalidValue"},
			{"what is no address", "POST", "/Users", person("grace"), 400, "invalidValue"},
			{"an address of look-alikes", "POST", "/Users", person("mike@uni.ex\u0430mple"), 400, "invalidValue"},
			{"an object for a text", "POST", "/Users", person("a@uni.example", "displayName", doc{"x": 1}), 400, "invalidValue"},
			{"neither true nor false", "POST", "/Users", person("a@uni.example", "active", "yes"), 400, "invalidValue"},
			{"an address that somebody has", "PATCH", "/Users/" + id, patch(op("replace", "userName", "ada@uni.example")), 409, "uniqueness"},
			{"an external id that somebody has", "PATCH", "/Users/" + id, patch(op("replace", "externalId", "e-2")), 409, "uniqueness"},
			{"no operations", "PATCH", "/Users/" + id, patch(), 400, "invalidSyntax"},
			{"no such op", "PATCH", "/Users/" + id, patch(op("move", "displayName", "x")), 400, "invalidSyntax"},
			{"a path that is none", "PATCH", "/Users/" + id, patch(op("replace", "name..x[", "x")), 400, "invalidPath"},
			{"a path to nothing", "PATCH", "/Users/" + id, patch(op("replace", "shoeSize", "x")), 400, "invalidPath"},
			{"a part of a text", "PATCH", "/Users/" + id, patch(op("replace", "displayName.x", "x")), 400, "invalidPath"},
			{"no value", "PATCH", "/Users/" + id, patch(op("replace", "displayName", nil)), 400, "invalidValue"},
			{"neither path nor object", "PATCH", "/Users/" + id, patch(op("replace", "", "x")), 400, "invalidValue"},
			{"removing nothing", "PATCH", "/Users/" + id, patch(op("remove", "", nil)), 400, "noTarget"},
			{"the id", "PATCH", "/Users/" + id, patch(op("replace", "id", "3")), 400, "mutability"},
			{"the address away", "PATCH", "/Users/" + id, patch(op("remove", "userName", nil)), 400, "mutability"},
			{"Matricula's status", "PATCH", "/Users/" + id, patch(op("replace", personURN+":status", "active")), 400, "mutability"},
			{"a subject without a provider", "PATCH", "/Users/" + id, patch(op("replace", personURN+":subject", "s-1")), 400, "invalidValue"},
			{"nobody's id", "GET", "/Users/99999", nil, 404, ""},
			{"no id", "GET", "/Users/x", nil, 404, ""},
			{"an id in other words", "GET", "/Users/0" + id, nil, 404, ""},
			{"a service account", "GET", "/Users/1", nil, 404, ""},
			{"itself", "PATCH", fmt.Sprintf("/Users/%d", s.directory), patch(op("replace", "active", false)), 404, ""},
			{"no such address", "GET", "/Robots", nil, 404, ""},
			{"another method", "PUT", "/Users", person("a@uni.example"), 405, ""},
			{"bulk", "POST", "/Bulk", doc{}, 501, ""},
			{"me", "GET", "/Me", nil, 501, ""},
			{"both selections", "GET", "/Users/" + id + "?attributes=userName&excludedAttributes=name", nil, 400, "invalidValue"},
			{"a count that is none", "GET", "/Users?count=x", nil, 400, "invalidValue"},
			{"a broken filter", "GET", filtered("Users", `userName eq`), nil, 400, "invalidFilter"},
			{"an order of truths", "GET", filtered("Users", `active gt true`), nil, 400, "invalidFilter"},
			{"a filter without end", "GET", filtered("Users", strings.Repeat("(", 3000)), nil, 400, "invalidFilter"},
		} {
			a := s.ask(c.method, c.path, c.body)
			a.what = c.what
			a.refused(c.status, c.scimType)
		}
		s.ask("GET", "/Users/"+id, nil).has("grace@uni.example", "userName").has("Grace", "displayName").has("e-1", "externalId")
		if a := s.idp.Do("POST", "/scim/v2/Users", "text/plain", strings.NewReader(`{"userName":"a@uni.example"}`)); a.Status != http.StatusUnsupportedMediaType {
			t.Errorf("a text was read: %d", a.Status)
		}
		if a := s.idp.JSON("POST", "/scim/v2/Users", person("json@uni.example")); a.Status != http.StatusCreated {
			t.Errorf("application/json was not read: %d %s", a.Status, a.Body)
		}
	})
}

func TestFiltersSelectionsAndPages(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ids := map[string]string{}
		for i, who := range []string{"ada", "bob", "cleo"} {
			ids[who] = s.create(who+"@uni.example", "externalId", fmt.Sprint("e-", i), "displayName", strings.ToUpper(who[:1])+who[1:], "name", doc{"familyName": "F" + who})
		}
		s.ask("PATCH", "/Users/"+ids["bob"], patch(op("replace", "active", false))).is(200)
		s.ask("PATCH", "/Users/"+ids["cleo"], patch(op("replace", "displayName", `Cl"è\o`))).is(200)
		root := s.ask("GET", filtered("Users", `userName sw "root"`), nil).found()
		all := strings.Join([]string{root, ids["ada"], ids["bob"], ids["cleo"]}, " ")
		for filter, want := range map[string]string{
			`userName eq "ada@uni.example"`:                           ids["ada"],
			`USERNAME EQ "ADA@UNI.EXAMPLE"`:                           ids["ada"],
			userURN + `:userName eq "ada@uni.example"`:                ids["ada"],
			`userName eq "nobody@uni.example"`:                        "",
			`userName eq "no address"`:                                "",
			`externalId eq "e-1"`:                                     ids["bob"],
			`externalId eq "E-1"`:                                     "",
			`id eq "` + ids["cleo"] + `"`:                             ids["cleo"],
			`id eq ` + ids["cleo"]:                                    ids["cleo"],
			`id eq "x"`:                                               "",
			`active eq false`:                                         ids["bob"],
			`active eq "False"`:                                       ids["bob"],
			`not (active eq true)`:                                    ids["bob"],
			`active ne true`:                                          ids["bob"],
			`name.familyName co "AD"`:                                 root + " " + ids["ada"],
			`displayName ew "ob" or displayName eq "Ada"`:             ids["ada"] + " " + ids["bob"],
			`displayName eq "Cl\"\u00e8\\o"`:                          ids["cleo"],
			`displayName eq "Cl\"è\\o"`:                               ids["cleo"],
			`externalId pr and not (userName sw "bob")`:               ids["ada"] + " " + ids["cleo"],
			`(userName sw "a" or userName sw "b") and active eq true`: ids["ada"],
			`userName eq "bob@uni.example" and active eq true`:        "",
			`emails[type eq "work" and value eq "ada@uni.example"]`:   ids["ada"],
			`emails.value eq "ada@uni.example"`:                       ids["ada"],
			`emails eq "ada@uni.example"`:                             ids["ada"],
			`emails co "bob@"`:                                        ids["bob"],
			`emails[type eq "home"]`:                                  "",
			`userName gt "bob@uni.example" and userName lt "root"`:    ids["cleo"],
			`meta.created ge "2020-01-01T00:00:00Z"`:                  all,
			`meta.lastModified lt "2020-01-01T00:00:00Z"`:             "",
			`meta.resourceType eq "User"`:                             all,
			`meta.resourceType eq "Group"`:                            "",
			`shoeSize pr`:                                             "",
			`shoeSize eq null`:                                        all,
			personURN + `:status eq "suspended"`:                      ids["bob"],
			enterpriseURN + `:department eq "IT"`:                     "",
		} {
			if got := s.ask("GET", filtered("Users", filter), nil).found(); got != want {
				t.Errorf("%s finds %q, want %q", filter, got, want)
			}
		}
		s.ask("GET", "/Users?startIndex=2&count=2", nil).has(4, "totalResults").has(2, "itemsPerPage").has(2, "startIndex").has(ids["ada"], "Resources", 0, "id").has(ids["bob"], "Resources", 1, "id")
		s.ask("GET", "/Users?count=0", nil).has(4, "totalResults").has(0, "itemsPerPage").has("[]", "Resources")
		s.ask("GET", "/Users?startIndex=-3&count=-1", nil).has(4, "totalResults").has(0, "itemsPerPage").has(1, "startIndex")
		s.ask("GET", "/Users?startIndex=9", nil).has(4, "totalResults").has(0, "itemsPerPage")
		s.ask("GET", filtered("Users", `externalId pr`)+"&startIndex=3&count=5", nil).has(3, "totalResults").has(1, "itemsPerPage").has(ids["cleo"], "Resources", 0, "id")
		s.ask("GET", filtered("Users", `externalId pr`)+"&count=0", nil).has(3, "totalResults").has("[]", "Resources")
		one := s.ask("GET", "/Users/"+ids["ada"]+"?attributes=USERNAME,name.familyName,"+personURN+":status", nil).is(200)
		if b, _ := json.Marshal(one.doc); len(one.doc) != 5 || one.at("name", "formatted") != nil || one.at(personURN, "status") != "pending" {
			t.Errorf("selected: %s", b)
		}
		not := s.ask("GET", "/Users/"+ids["ada"]+"?excludedAttributes=emails,name.formatted,id", nil).is(200).has(nil, "emails").has(ids["ada"], "id").has("Fada", "name", "familyName")
		if not.at("name", "formatted") != nil || not.at("meta", "version") == nil {
			t.Errorf("excluded: %s", not.Body)
		}
		search := doc{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:SearchRequest"}, "filter": `externalId pr`, "attributes": []string{"userName"}, "startIndex": 2, "count": 1}
		s.ask("POST", "/Users/.search", search).is(200).has(3, "totalResults").has(ids["bob"], "Resources", 0, "id").has(nil, "Resources", 0, "active")
		_, course := s.course("Algorithms", "CS-1")
		search = doc{"filter": `displayName pr`, "count": 10}
		s.ask("POST", "/.search", search).is(200).has(4, "totalResults").has(fmt.Sprint(course), "Resources", 3, "id")
		s.ask("POST", "/.search", doc{"filter": `meta.resourceType eq "Group"`}).has(1, "totalResults")
		s.ask("POST", "/Users/.search", doc{"schemas": []string{"urn:x"}}).refused(400, "invalidSyntax")
	})
}

func TestVersionsOfUsers(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		id := s.create("grace@uni.example")
		read := s.ask("GET", "/Users/"+id, nil).is(200)
		version := read.Header.Get("ETag")
		read.has(version, "meta", "version")
		s.ask("GET", "/Users/"+id, nil, "If-None-Match", version).is(304)
		changed := s.ask("PATCH", "/Users/"+id, patch(op("replace", "displayName", "G")), "If-Match", version).is(200)
		if changed.Header.Get("ETag") == version {
			t.Error("a change is the same version")
		}
		s.ask("PUT", "/Users/"+id, person("grace@uni.example"), "If-Match", version).refused(412, "")
		s.ask("PATCH", "/Users/"+id, patch(op("replace", "displayName", "G")), "If-Match", changed.Header.Get("ETag")).is(200)
	})
}

func TestDiscovery(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.ask("GET", "/ServiceProviderConfig", nil).is(200).has(true, "patch", "supported").has(false, "bulk", "supported").has(true, "filter", "supported").has(200, "filter", "maxResults").
			has(true, "etag", "supported").has(false, "sort", "supported").has(false, "changePassword", "supported").has("oauthbearertoken", "authenticationSchemes", 0, "type")
		s.ask("GET", "/ResourceTypes", nil).has(2, "totalResults").has("User", "Resources", 0, "name").has("/Groups", "Resources", 1, "endpoint").has(personURN, "Resources", 0, "schemaExtensions", 0, "schema")
		s.ask("GET", "/ResourceTypes/User", nil).has(userURN, "schema")
		schemas := s.ask("GET", "/Schemas", nil).has(3, "totalResults")
		for i := range 3 {
			id := fmt.Sprint(schemas.at("Resources", i, "id"))
			s.ask("GET", "/Schemas/"+id, nil).is(200).has(id, "id").has(s.URL+"/scim/v2/Schemas/"+id, "meta", "location")
		}
		s.ask("GET", "/Schemas/"+enterpriseURN, nil).refused(404, "")
		s.ask("GET", filtered("Schemas", `id pr`), nil).refused(403, "")
	})
}

func TestOnlyADirectoryMayAsk(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, session := s.Active("root@uni.example", "", "")
		id := s.create("grace@uni.example")
		limited, err := s.Service.ServiceToken(ctx, "limited", "", lms.SiteAdmin, service.NewToken{Name: "x", Scopes: []string{"scim"}})
		if err != nil {
			t.Fatal(err)
		}
		for what, c := range map[string]struct {
			token  string
			status int
		}{
			"nobody": {"", 401}, "no token of ours": {"mat_x", 401}, "a token that reads and writes": {s.Token("other", lms.SiteAdmin, "read", "write"), 403},
			"a service account that administers nothing": {s.Token("small", lms.SiteMember, "scim"), 403}, "a directory made at the command line": {limited.Secret, 200},
		} {
			client := s.Anonymous()
			if c.token != "" {
				client = s.WithToken(c.token)
			}
			for _, r := range []struct{ method, path string }{{"GET", "/Users"}, {"GET", "/ServiceProviderConfig"}, {"GET", "/Users/" + id}, {"POST", "/.search"}, {"PATCH", "/Users/" + id}, {"DELETE", "/Groups/1"}, {"POST", "/Users"}} {
				body := any(nil)
				if r.method != "GET" && r.method != "DELETE" {
					body = patch(op("replace", "displayName", "X"))
				}
				a := askAs(t, client, r.method, r.path, body)
				if a.what = what + ": " + a.what; c.status != 200 {
					a.refused(c.status, "")
				} else if a.Status == 401 || a.Status == 403 {
					t.Errorf("%s answered %d", a.what, a.Status)
				}
				if c.status == 401 && a.Header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s does not say how to authenticate", a.what)
				}
			}
		}
		// A session is nobody's here, not even an administrator's.
		askAs(t, s.WithSession(session), "GET", "/Users", nil).refused(401, "")
		// And the token opens nothing else.
		for _, path := range []string{"/api/v1/me", "/api/v1/users", "/api/v1/directories"} {
			if a := s.idp.Get(path); a.Status != 403 {
				t.Errorf("%s answers a directory %d", path, a.Status)
			}
		}
		_, err = s.Service.CreateToken(ctx, s.admin, service.NewToken{Name: "mine", Scopes: []string{"scim"}}, nil)
		if lms.TypeOf(err) != "scope-of-services" {
			t.Errorf("a person has a token of a directory: %v", err)
		}
		if n := s.count(`audit_entries WHERE action = 'provisioning.user' AND outcome = 'refused' AND reason = 'token-scope'`); n == 0 {
			t.Error("the refusal is not in the audit")
		}
	})
}
