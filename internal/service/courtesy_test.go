package service

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWorkStepsBackForWhoeverReadsButNotForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Service{}
		took := func() time.Duration {
			start := time.Now()
			s.courtesy.stepBack()
			return time.Since(start)
		}
		if d := took(); d != 0 {
			t.Errorf("waits %v for nobody", d)
		}
		done := s.Reading()
		time.AfterFunc(3*time.Millisecond, done)
		if d := took(); d < 3*time.Millisecond || d > 3*time.Millisecond+lookAgainFor {
			t.Errorf("waits %v for somebody who reads for 3 ms", d)
		}
		first, second := s.Reading(), s.Reading()
		first()
		if d := took(); d != stepBackFor {
			t.Errorf("waits %v for somebody who reads all the time, want %v", d, stepBackFor)
		}
		if second(); took() != 0 {
			t.Error("waits for somebody who has read")
		}
	})
}
