package lms

import (
	"slices"
	"strconv"
	"strings"
)

// IDs is a short list of ids, ascending and without doubles, as one value that can
// be compared, such as "3,14". The empty one holds none.
type IDs string

// MakeIDs makes a list.
func MakeIDs(ids ...int64) IDs {
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	texts := make([]string, 0, len(sorted))
	for _, id := range slices.Compact(sorted) {
		texts = append(texts, strconv.FormatInt(id, 10))
	}
	return IDs(strings.Join(texts, ","))
}

// List gives the ids.
func (l IDs) List() []int64 {
	if l == "" {
		return nil
	}
	var ids []int64
	for part := range strings.SplitSeq(string(l), ",") {
		if id, err := strconv.ParseInt(part, 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// Has tells whether an id is in the list.
func (l IDs) Has(id int64) bool { return slices.Contains(l.List(), id) }
