package api

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Paging are the parameters of every list.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most so many items."`
	Cursor string `query:"cursor" doc:"The next_cursor of the page before. It works only in the same list, with the same filters, for the same caller."`
}

// A place is where a list is continued: after an id, or after a sort key and
// an id.
type place struct {
	id  int64
	key string
}

// sealer makes cursors. They are encrypted and not only signed, because a
// place can hold an address (a person's sort key), and what stands in an
// address bar or a log must not. What a cursor belongs to is authenticated
// with it, so that it opens for the same caller, list and filters alone.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) sealer {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("matricula cursor 1"))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		panic(fmt.Sprintf("cursor key: %v", err)) // the key is always 32 bytes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(fmt.Sprintf("cursor key: %v", err))
	}
	return sealer{aead}
}

// belongs is what a cursor is good for: the list (its path has the course),
// the caller, and the filters.
func (c *call) belongs() []byte {
	var b strings.Builder
	b.WriteString(c.path)
	b.WriteByte(0)
	b.WriteString(strconv.FormatInt(c.caller.UserID, 10))
	b.WriteByte(0)
	for _, p := range c.route.op.Parameters {
		if v := c.query.Get(p.Name); p.In == "query" && p.Name != "cursor" && p.Name != "limit" && v != "" {
			b.WriteString(p.Name)
			b.WriteByte(0)
			b.WriteString(v)
			b.WriteByte(0)
		}
	}
	return []byte(b.String())
}

// next makes the cursor of the following page, nil when there is none.
func (c *call) next(p place) *string {
	if p == (place{}) {
		return nil
	}
	plain := binary.AppendVarint(make([]byte, 0, binary.MaxVarintLen64+len(p.key)), p.id)
	plain = append(plain, p.key...)
	s := base64.RawURLEncoding.EncodeToString(c.api.seal.aead.Seal(nil, nil, plain, c.belongs()))
	return &s
}

var errCursor = &fault{status: http.StatusBadRequest, typ: "cursor", location: "query.cursor", message: "This cursor does not belong to this list, or has ended. Begin again without it."}

// from reads the cursor that the request brings, the zero place when it brings
// none.
func (c *call) from(cursor string) (place, error) {
	if cursor == "" {
		return place{}, nil
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return place{}, errCursor
	}
	plain, err := c.api.seal.aead.Open(nil, nil, sealed, c.belongs())
	if err != nil {
		return place{}, errCursor
	}
	id, n := binary.Varint(plain)
	if n <= 0 {
		return place{}, errCursor
	}
	return place{id: id, key: string(plain[n:])}, nil
}

// List is a page of a list.
type List[T any] struct {
	Items      []T     `json:"items" doc:"The page."`
	NextCursor *string `json:"next_cursor" doc:"Send it as cursor to get the next page; null on the last."`
}

// listOf makes a page from what the service found.
func listOf[T, R any](rows []R, wire func(*R) T, next *string) *page[T] {
	p := &page[T]{Body: List[T]{Items: make([]T, len(rows)), NextCursor: next}}
	for i := range rows {
		p.Body.Items[i] = wire(&rows[i])
	}
	return p
}

// page is the answer of a list operation.
type page[T any] struct{ Body List[T] }
