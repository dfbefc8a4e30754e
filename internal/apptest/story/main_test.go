package story_test

import (
	"testing"

	"matricula/internal/apptest"
)

func TestMain(m *testing.M) { apptest.MainBrowser(m) }
