package scim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"

	filter "github.com/scim2/filter-parser/v2"

	"matricula/internal/service"
)

const groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group"

// group shows a course as a resource.
func (s *SCIM) group(g *service.Group, members bool) resource {
	id := strconv.FormatInt(g.CourseID, 10)
	res := resource{
		"schemas": []string{groupSchema}, "id": id, "displayName": g.DisplayName(),
		"meta": map[string]any{
			"resourceType": "Group", "created": timeOf(g.CreatedAt), "lastModified": timeOf(g.ChangedAt),
			"location": s.url + "/Groups/" + id, "version": groupVersion(g),
		},
	}
	if g.ExternalID != "" {
		res["externalId"] = g.ExternalID
	}
	if members {
		list := make([]map[string]any, len(g.Members))
		for i := range g.Members {
			m := &g.Members[i]
			user := strconv.FormatInt(m.ID, 10)
			list[i] = map[string]any{"value": user, "display": m.DisplayName(), "type": "User", "$ref": s.url + "/Users/" + user}
		}
		res["members"] = list
	}
	return res
}

// groupVersion is that of the course: nothing about it changes without an entry in its
// audit.
func groupVersion(g *service.Group) string {
	return `W/"` + strconv.FormatInt(g.Version, 10) + "-" + strconv.FormatInt(g.ChangedAt.UnixMicro(), 36) + `"`
}

func (s *SCIM) listGroups(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	page, total, err := s.groups(c, q)
	if err != nil {
		return err
	}
	return c.list(q, total, page)
}

// groups finds what a query asks for. Who is in a group is found by an index or not at
// all: no filter reads every roster.
func (s *SCIM) groups(c *call, q query) ([]resource, int, error) {
	ask := service.ProvisioningQuery[service.Group]{First: q.start - 1, Limit: q.count}
	where := q.where
	for i, e := range q.where {
		name, value, ok := equals(e)
		if !ok {
			continue
		}
		id, _ := parseID(value)
		switch name {
		case "members", "members.value":
			ask.Member = &id
		case "externalid":
			ask.ExternalID = &value
		case "id":
			ask.ID = &id
		default:
			continue
		}
		where = append(append([]filter.Expression{}, q.where[:i]...), q.where[i+1:]...)
		break
	}
	for _, e := range where {
		if mentions(e, "members") {
			return nil, 0, bad(invalidFilter, `Of members, a filter can ask for one by id: members.value eq "12".`)
		}
	}
	if len(where) > 0 {
		ask.Match = func(g *service.Group) bool { return all(where, s.group(g, false)) }
	}
	members := q.sel.wants("members")
	list, total, err := s.svc.Groups(c.r.Context(), c.caller, ask, members)
	page := make([]resource, len(list))
	for i := range list {
		page[i] = s.group(&list[i], members)
	}
	return page, total, err
}

func (s *SCIM) readGroup(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	sel, err := c.selection()
	if err != nil {
		return err
	}
	return s.showGroup(c, http.StatusOK, id, sel)
}

func (s *SCIM) showGroup(c *call, status int, id int64, sel selection) error {
	members := sel.wants("members")
	g, err := s.svc.Group(c.r.Context(), c.caller, id, members)
	if err != nil {
		return err
	}
	res := s.group(&g, members)
	if c.r.Method == http.MethodGet && c.unchanged(res) {
		return nil
	}
	return c.send(status, res, sel)
}

func (s *SCIM) createGroup(c *call) error {
	body, sel, err := c.resource(groupSchema)
	if err != nil {
		return err
	}
	roll := newRoll()
	if err := roll.setAll(body); err != nil {
		return err
	}
	g, err := s.svc.CreateGroup(c.r.Context(), c.caller, roll.change())
	if err != nil {
		return err
	}
	return c.send(http.StatusCreated, s.group(&g, true), sel)
}

func (s *SCIM) replaceGroup(c *call) error {
	body, sel, err := c.resource(groupSchema)
	if err != nil {
		return err
	}
	roll := newRoll()
	none := ""
	roll.anew, roll.externalID = true, &none
	if err := roll.setAll(body); err != nil {
		return err
	}
	if roll.name == nil {
		return bad(invalidValue, "A group needs a displayName.")
	}
	id, err := s.changeGroup(c, roll)
	if err != nil {
		return err
	}
	return s.showGroup(c, http.StatusOK, id, sel)
}

// patchGroup answers with nothing, as a group may be large, unless attributes are asked
// for.
func (s *SCIM) patchGroup(c *call) error {
	body, sel, err := c.resource(patchSchema)
	if err != nil {
		return err
	}
	ops, err := operations(body)
	if err != nil {
		return err
	}
	roll := newRoll()
	for _, op := range ops {
		if err := roll.patch(op); err != nil {
			return err
		}
	}
	id, err := s.changeGroup(c, roll)
	if err != nil {
		return err
	}
	if sel.only != nil {
		return s.showGroup(c, http.StatusOK, id, sel)
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *SCIM) changeGroup(c *call, roll *roll) (int64, error) {
	id, err := c.id()
	if err != nil {
		return 0, err
	}
	return id, s.svc.ChangeGroup(c.r.Context(), c.caller, id, roll.change(), func(g service.Group) error { return c.same(groupVersion(&g)) })
}

func (s *SCIM) deleteGroup(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	if err := s.svc.EndGroup(c.r.Context(), c.caller, id); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// roll gathers what several operations make of a group, so that it is changed once.
type roll struct {
	name, externalID *string
	anew             bool // everybody leaves who is not in add
	add, remove      map[int64]bool
}

func newRoll() *roll { return &roll{add: map[int64]bool{}, remove: map[int64]bool{}} }

func (r *roll) change() service.GroupChange {
	return service.GroupChange{
		Name: r.name, ExternalID: r.externalID, Anew: r.anew,
		Add: slices.Sorted(maps.Keys(r.add)), Remove: slices.Sorted(maps.Keys(r.remove)),
	}
}

// setAll takes what a resource that was sent holds; what is unknown is left aside.
func (r *roll) setAll(body object) error {
	for name, v := range body {
		t, err := parseName(name)
		if err != nil {
			continue
		}
		if t.uri == "" && t.where == nil && (t.attr == "displayname" || t.attr == "externalid" || t.attr == "members") {
			if err := r.set("add", t, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *roll) patch(op operation) error {
	if op.path == nil {
		o, ok := op.value.(object)
		if !ok {
			return bad(invalidValue, "Without a path, the value has to be an object.")
		}
		if v, ok := o["members"]; ok && op.op == "replace" {
			if err := r.set("replace", &target{attr: "members"}, v); err != nil {
				return err
			}
			rest := maps.Clone(o)
			delete(rest, "members")
			o = rest
		}
		return r.setAll(o)
	}
	t := op.path
	switch {
	case t.uri != "":
		return nil
	case t.attr == "id" || t.attr == "meta" || t.attr == "schemas":
		return bad(mutability, t.attr+" cannot be changed.")
	case t.attr == "members":
		return r.patchMembers(op)
	case (t.attr != "displayname" && t.attr != "externalid") || t.where != nil || t.sub != "":
		return bad(invalidPath, "A group has nothing at this path.")
	case op.op == "remove" && t.attr == "displayname":
		return bad(mutability, "displayName cannot be removed.")
	case op.op == "remove":
		return r.set("replace", t, nil)
	}
	return r.set(op.op, t, op.value)
}

func (r *roll) set(op string, t *target, v any) error {
	switch t.attr {
	case "displayname":
		s, err := text(v, "displayName")
		r.name = &s
		return err
	case "externalid":
		s, err := text(v, "externalId")
		r.externalID = &s
		return err
	}
	ids, err := memberIDs(v)
	if err != nil {
		return err
	}
	if op == "replace" {
		r.clear()
	}
	for _, id := range ids {
		r.add[id] = true
		delete(r.remove, id)
	}
	return nil
}

// clear makes a group of nobody.
func (r *roll) clear() {
	r.anew = true
	clear(r.add)
	clear(r.remove)
}

// patchMembers adds and removes. Entra names whom to remove in a filter in the path, or
// in the value.
func (r *roll) patchMembers(op operation) error {
	t := op.path
	if t.sub != "" || (t.where != nil && op.op != "remove") {
		return bad(invalidPath, "Members can be added and removed, and not changed.")
	}
	if op.op != "remove" {
		return r.set(op.op, t, op.value)
	}
	var ids []int64
	var err error
	switch {
	case t.where != nil:
		ids, err = chosen(t.where)
	case op.given && op.value != nil:
		ids, err = memberIDs(op.value)
	default:
		r.clear()
	}
	for _, id := range ids {
		delete(r.add, id)
		r.remove[id] = true
	}
	return err
}

// chosen reads which members a filter in a path means.
func chosen(e filter.Expression) ([]int64, error) {
	if l, ok := e.(*filter.LogicalExpression); ok && l.Operator == filter.OR {
		left, err := chosen(l.Left)
		if err != nil {
			return nil, err
		}
		right, err := chosen(l.Right)
		return append(left, right...), err
	}
	name, value, ok := equals(e)
	if !ok || name != "value" {
		return nil, bad(invalidFilter, `Say which members by their ids: members[value eq "12"].`)
	}
	if id, ok := parseID(value); ok {
		return []int64{id}, nil
	}
	return nil, nil // nobody here
}

// memberIDs reads members that were sent: objects with a value, or ids alone.
func memberIDs(v any) ([]int64, error) {
	list, ok := v.([]any)
	switch {
	case v == nil:
		return nil, nil
	case !ok:
		list = []any{v}
	}
	ids := make([]int64, 0, len(list))
	for _, one := range list {
		if o, isObject := one.(object); isObject {
			if kind, ok := o["type"].(string); ok && kind != "" && kind != "User" {
				return nil, bad(invalidValue, "A group has users as members, and no groups.")
			}
			one = o["value"]
		}
		typed, err := text(one, "members.value")
		if err != nil {
			return nil, err
		}
		id, ok := parseID(typed)
		if !ok {
			return nil, bad(invalidValue, "A member's value has to be the id of a user.")
		}
		ids = append(ids, id)
	}
	return ids, nil
}
