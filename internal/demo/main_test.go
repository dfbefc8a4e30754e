package demo_test

import (
	"testing"

	"matricula/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }
