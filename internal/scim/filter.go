package scim

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	filter "github.com/scim2/filter-parser/v2"

	"matricula/internal/lms"
)

// maxFilter is far above what directories ask for.
const maxFilter = 2000

// parse reads a filter (RFC 7644, section 3.4.2.2). What makes the parser fall over is
// no filter.
func parse(raw string) (e filter.Expression, err error) {
	defer func() {
		if p := recover(); p != nil {
			e, err = nil, bad(invalidFilter, "The filter cannot be read.")
		}
	}()
	raw = strings.TrimSpace(raw)
	if raw == "" || len(raw) > maxFilter || !utf8.ValidString(raw) {
		return nil, bad(invalidFilter, fmt.Sprintf("A filter has between 1 and %d bytes of UTF-8.", maxFilter))
	}
	unreadable := bad(invalidFilter, `The filter cannot be read. Write it like userName eq "grace@uni.example" (RFC 7644, section 3.4.2.2).`)
	outside, inside, ok := brackets(literal(raw))
	if !ok {
		return nil, unreadable
	}
	parts := make([]filter.Expression, len(inside))
	for i, text := range inside {
		if parts[i], err = filter.ParseFilter([]byte(strings.TrimSpace(text))); err != nil || parts[i] == nil {
			return nil, unreadable
		}
	}
	if e, err = filter.ParseFilter([]byte(outside)); err != nil || e == nil {
		return nil, unreadable
	}
	if e = fill(e, parts); e == nil {
		return nil, unreadable
	}
	return e, checkFilter(e)
}

// The parser takes the grammar of the standard at its word, in which brackets hold two
// comparisons at most. What stands in them is parsed by itself, as any filter, and a
// comparison with a mark holds its place: a letter that no filter may use.
const mark = '\uE000'

// brackets parts a filter into what stands outside of brackets, with marks, and in them.
func brackets(s string) (outside string, inside []string, ok bool) {
	if strings.ContainsRune(s, mark) {
		return "", nil, false
	}
	var b strings.Builder
	quoted, from := false, -1
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\' && i+1 < len(s):
			if from < 0 {
				b.WriteByte(c)
			}
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			if from >= 0 {
				return "", nil, false
			}
			from = i + 1
		case c == ']':
			if from < 0 {
				return "", nil, false
			}
			fmt.Fprintf(&b, ` eq "%c%d"`, mark, len(inside))
			inside, from = append(inside, s[from:i]), -1
			continue
		}
		if from < 0 {
			b.WriteByte(s[i])
		}
	}
	return b.String(), inside, from < 0
}

// fill puts what stood in brackets into the place of its marks; nil when there is a mark
// where none can be.
func fill(e filter.Expression, parts []filter.Expression) filter.Expression {
	switch e := e.(type) {
	case *filter.LogicalExpression:
		if e.Left, e.Right = fill(e.Left, parts), fill(e.Right, parts); e.Left == nil || e.Right == nil {
			return nil
		}
	case *filter.NotExpression:
		if e.Expression = fill(e.Expression, parts); e.Expression == nil {
			return nil
		}
	case *filter.AttributeExpression:
		text, _ := e.CompareValue.(string)
		number, marked := strings.CutPrefix(text, string(mark))
		if !marked {
			return e
		}
		i, err := strconv.Atoi(number)
		if err != nil || i >= len(parts) {
			return nil
		}
		return &filter.ValuePath{AttributePath: e.AttributePath, ValueFilter: parts[i]}
	}
	return e
}

// literal writes letters that stand in a filter as \u00e8 as they are, where that
// changes nothing else: the parser does not know the half of them.
func literal(s string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case quoted && s[i] == '\\' && i+1 < len(s):
			if r, n := escaped(s[i:]); n > 0 {
				b.WriteRune(r)
				i += n - 1
				continue
			}
			b.WriteByte(s[i])
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// escaped reads \uXXXX, or two of them that make one letter.
func escaped(s string) (rune, int) {
	for _, n := range []int{12, 6} {
		if len(s) < n || s[1] != 'u' {
			continue
		}
		var out string
		if json.Unmarshal([]byte(`"`+s[:n]+`"`), &out) != nil || utf8.RuneCountInString(out) != 1 {
			continue
		}
		if r, _ := utf8.DecodeRuneInString(out); r >= 0x20 && r != '"' && r != '\\' && r != utf8.RuneError {
			return r, n
		}
	}
	return 0, 0
}

// checkFilter reads the texts of a filter, and refuses comparisons that mean nothing: of
// what is true or false there is no order, and no part.
func checkFilter(e filter.Expression) error {
	switch e := e.(type) {
	case *filter.LogicalExpression:
		if err := checkFilter(e.Left); err != nil {
			return err
		}
		return checkFilter(e.Right)
	case *filter.NotExpression:
		return checkFilter(e.Expression)
	case *filter.ValuePath:
		return checkFilter(e.ValueFilter)
	case *filter.AttributeExpression:
		// The parser leaves a text as it was written.
		if s, ok := e.CompareValue.(string); ok {
			var out string
			if json.Unmarshal([]byte(`"`+s+`"`), &out) != nil {
				return bad(invalidFilter, "The filter holds a text that is no JSON.")
			}
			e.CompareValue = out
		}
		name := strings.ToLower(e.AttributePath.AttributeName)
		if name != "active" && name != "primary" {
			return nil
		}
		switch e.Operator {
		case filter.EQ, filter.NE, filter.PR:
			return nil
		}
		return bad(invalidFilter, name+" is true or false: compare it with eq or ne.")
	}
	return bad(invalidFilter, "The filter cannot be read.")
}

// conditions are the parts of a filter that all have to hold.
func conditions(e filter.Expression) []filter.Expression {
	if l, ok := e.(*filter.LogicalExpression); ok && l.Operator == filter.AND {
		return append(conditions(l.Left), conditions(l.Right)...)
	}
	return []filter.Expression{e}
}

// equals tells which attribute a condition wants to be equal to which text; name is in
// lower case, such as "name.givenname".
func equals(e filter.Expression) (name, value string, ok bool) {
	if v, isPath := e.(*filter.ValuePath); isPath {
		name, value, ok = equals(v.ValueFilter)
		return strings.ToLower(v.AttributePath.AttributeName) + "." + name, value, ok && ours(v.AttributePath.URI())
	}
	a, isAttribute := e.(*filter.AttributeExpression)
	if !isAttribute || a.Operator != filter.EQ || !ours(a.AttributePath.URI()) {
		return "", "", false
	}
	name = strings.ToLower(a.AttributePath.AttributeName)
	if sub := a.AttributePath.SubAttributeName(); sub != "" {
		name += "." + strings.ToLower(sub)
	}
	switch v := a.CompareValue.(type) {
	case string:
		return name, v, true
	case int:
		return name, strconv.Itoa(v), true
	}
	return "", "", false
}

// ours tells whether a schema is the core one of users or groups, or none is named.
func ours(uri string) bool {
	return uri == "" || strings.EqualFold(uri, userSchema) || strings.EqualFold(uri, groupSchema)
}

// mentions tells whether a filter speaks of an attribute, given in lower case.
func mentions(e filter.Expression, name string) bool {
	switch e := e.(type) {
	case *filter.LogicalExpression:
		return mentions(e.Left, name) || mentions(e.Right, name)
	case *filter.NotExpression:
		return mentions(e.Expression, name)
	case *filter.ValuePath:
		return strings.EqualFold(e.AttributePath.AttributeName, name)
	case *filter.AttributeExpression:
		return strings.EqualFold(e.AttributePath.AttributeName, name)
	}
	return false
}

// matches tells whether a resource, or a value of several, is what a filter wants.
func matches(e filter.Expression, res map[string]any) bool {
	switch e := e.(type) {
	case *filter.LogicalExpression:
		if e.Operator == filter.OR {
			return matches(e.Left, res) || matches(e.Right, res)
		}
		return matches(e.Left, res) && matches(e.Right, res)
	case *filter.NotExpression:
		return !matches(e.Expression, res)
	case *filter.ValuePath:
		for _, v := range valuesOf(res, e.AttributePath) {
			if o, ok := v.(map[string]any); ok && matches(e.ValueFilter, o) {
				return true
			}
		}
		return false
	case *filter.AttributeExpression:
		return compare(valuesOf(res, e.AttributePath), e)
	}
	return false
}

// valuesOf are the values of an attribute: none, one or several.
func valuesOf(res map[string]any, p filter.AttributePath) []any {
	if uri := p.URI(); !ours(uri) {
		inner, ok := member(res, uri).(map[string]any)
		if !ok {
			return nil
		}
		res = inner
	}
	values := spread(member(res, p.AttributeName))
	sub := p.SubAttributeName()
	if sub == "" {
		return values
	}
	var out []any
	for _, v := range values {
		if o, ok := v.(map[string]any); ok {
			out = append(out, spread(member(o, sub))...)
		}
	}
	return out
}

func spread(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []map[string]any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = v[i]
		}
		return out
	case []string:
		out := make([]any, len(v))
		for i := range v {
			out[i] = v[i]
		}
		return out
	}
	return []any{v}
}

// member finds an attribute whatever the case of its name.
func member(o map[string]any, name string) any {
	if v, ok := o[name]; ok {
		return v
	}
	for k, v := range o {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}

// caseExact are the attributes whose texts differ when their case does (RFC 7643,
// section 7 and 8).
func caseExact(name string) bool {
	switch strings.ToLower(name) {
	case "id", "externalid", "subject", "$ref", "location", "version", "resourcetype":
		return true
	}
	return false
}

// compare holds the values of an attribute against what a filter wants; one that does
// is enough.
func compare(values []any, e *filter.AttributeExpression) bool {
	name := e.AttributePath.AttributeName
	if sub := e.AttributePath.SubAttributeName(); sub != "" {
		name = sub
	}
	if e.CompareValue == nil { // pr, or a comparison with null
		return (len(values) > 0) == (e.Operator != filter.EQ)
	}
	for _, v := range values {
		if o, ok := v.(map[string]any); ok { // RFC 7643, section 2.4: the value is what counts
			v = o["value"]
		}
		if compareOne(v, e, name) {
			return e.Operator != filter.NE
		}
	}
	return e.Operator == filter.NE
}

// compareOne tells whether a value is what is wanted; for ne, whether it is not.
func compareOne(v any, e *filter.AttributeExpression, name string) bool {
	if b, ok := v.(bool); ok {
		want, err := truth(e.CompareValue, name)
		return err == nil && b == want
	}
	is, ok := v.(string)
	if !ok {
		return false
	}
	want := fmt.Sprint(e.CompareValue)
	if at, err := time.Parse(time.RFC3339, is); err == nil && (name == "created" || strings.EqualFold(name, "lastModified")) {
		if wanted, err := time.Parse(time.RFC3339, want); err == nil {
			return ordered(at.Compare(wanted), e.Operator)
		}
	}
	if strings.EqualFold(name, "userName") && (e.Operator == filter.EQ || e.Operator == filter.NE) {
		if address, err := lms.ParseEmail(want); err == nil {
			want = string(address)
		}
	}
	if !caseExact(name) {
		is, want = strings.ToLower(is), strings.ToLower(want)
	}
	switch e.Operator {
	case filter.CO:
		return strings.Contains(is, want)
	case filter.SW:
		return strings.HasPrefix(is, want)
	case filter.EW:
		return strings.HasSuffix(is, want)
	}
	return ordered(strings.Compare(is, want), e.Operator)
}

func ordered(c int, op filter.CompareOperator) bool {
	switch op {
	case filter.EQ, filter.NE:
		return c == 0
	case filter.GT:
		return c > 0
	case filter.GE:
		return c >= 0
	case filter.LT:
		return c < 0
	case filter.LE:
		return c <= 0
	}
	return false
}
