package lms

import (
	"encoding/json"
	"fmt"
	"time"
)

// A text that is kept, such as why a row of a list was refused, is kept with what
// was put into it, so that it can be said in any language later.

type keptText struct {
	Format string    `json:"f"`
	Args   []keptArg `json:"a,omitempty"`
}

type keptArg struct {
	Kind  string          `json:"k"`
	Value json.RawMessage `json:"v"`
}

// The kinds of arguments. Whatever else is put into a text is kept as it is
// written.
const (
	keptString = "s"
	keptInt    = "i"
	keptTerm   = "t"
	keptTerms  = "l"
	keptNested = "x"
	keptTime   = "d"
)

// IsZero tells whether the text says nothing.
func (t Text) IsZero() bool { return t.Format == "" }

// MarshalJSON keeps the text.
func (t Text) MarshalJSON() ([]byte, error) {
	k := keptText{Format: t.Format}
	for _, a := range t.Args {
		kind, value := keptString, a
		switch v := a.(type) {
		case string:
		case int:
			kind, value = keptInt, int64(v)
		case int64:
			kind = keptInt
		case Term:
			kind = keptTerm
		case Terms:
			kind = keptTerms
		case Text:
			kind = keptNested
		case time.Time:
			kind = keptTime
		default:
			value = fmt.Sprint(v)
		}
		b, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		k.Args = append(k.Args, keptArg{kind, b})
	}
	return json.Marshal(k)
}

// UnmarshalJSON reads a text that was kept.
func (t *Text) UnmarshalJSON(b []byte) error {
	var k keptText
	if err := json.Unmarshal(b, &k); err != nil {
		return err
	}
	*t = Text{Format: k.Format}
	for _, a := range k.Args {
		v, err := a.read()
		if err != nil {
			return fmt.Errorf("read a kept text: %w", err)
		}
		t.Args = append(t.Args, v)
	}
	return nil
}

func (a keptArg) read() (any, error) {
	switch a.Kind {
	case keptInt:
		return readKept[int64](a.Value)
	case keptTerm:
		return readKept[Term](a.Value)
	case keptTerms:
		return readKept[Terms](a.Value)
	case keptNested:
		return readKept[Text](a.Value)
	case keptTime:
		return readKept[time.Time](a.Value)
	}
	return readKept[string](a.Value)
}

func readKept[T any](b []byte) (any, error) {
	var v T
	err := json.Unmarshal(b, &v)
	return v, err
}
