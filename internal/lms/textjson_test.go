package lms

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestATextIsKeptWithWhatWasPutIntoIt(t *testing.T) {
	at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for _, text := range []Text{
		{},
		Say("Choose a file first."),
		Say("%q is the %d of %d, by %s (%s), %s", "x\x00é", 3, int64(1)<<60, Term("Owner"), Say("inside %s", Terms{"a", "b"}), at),
		Say("%s", Email("a@uni.example")),
	} {
		b, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var back Text
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if diff := cmp.Diff(text.String(), back.String()); diff != "" || back.Format != text.Format {
			t.Errorf("%s: %s", b, diff)
		}
		again, err := json.Marshal(back)
		if err != nil || string(again) != string(b) {
			t.Errorf("kept twice: %s, %s (%v)", b, again, err)
		}
	}
	var back Text
	for _, wrong := range []string{`[]`, `{"f":"%d","a":[{"k":"i","v":"x"}]}`, `{"f":1}`} {
		if err := json.Unmarshal([]byte(wrong), &back); err == nil {
			t.Errorf("%s was read", wrong)
		}
	}
}
