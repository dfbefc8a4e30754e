package main

import (
	"fmt"
	"strconv"
	"testing"

	"matricula/internal/store/storetest"
)

// A list that meets a limit is told before, waits without losing a row, and is followed
// by the same command when somebody has lifted the limit.
func TestAListThatMeetsALimitWaitsAndGoesOn(t *testing.T) {
	c := openCampus(t, storetest.SQLite)
	setup := c.token
	c.token = newToken(t, c.environ, "--service=dean", "--site-role=teacher")
	course := strconv.FormatInt(c.newCourse("Compilers", "CS-202"), 10)
	dean := c.client()
	c.token = setup
	var set struct{ Amount int }
	c.ask("PATCH", "/limits", map[string]any{"limit": "naming-person", "amount": 1}, &set)
	list := file(t, "ada@uni.example\nzoe@uni.example\n")
	runImport(t, dean, nil, course, list, "--dry-run").wants(t, exitDone, "This list names 2 people whom nobody knows here", "leaves 1 at the moment")
	runImport(t, dean, nil, course, list, "--yes").wants(t, exitFailed, "waits after 0 of 2 rows", "The list waits: the limit", "An administrator can lift the limit before", "--cancel")
	c.ask("PATCH", "/limits", map[string]any{"limit": "naming-person", "amount": 10}, &set)
	// The server goes on at once, so that the command follows it or finds it done.
	runImport(t, dean, nil, course, list, "--yes").wants(t, exitDone)
	var page struct {
		Items []struct {
			ID     int64
			State  string
			Counts map[string]int
		}
	}
	c.ask("GET", fmt.Sprintf("/courses/%s/imports", course), nil, &page)
	for _, i := range page.Items {
		if i.ID == 2 && (i.State != "done" || i.Counts["named"] != 2) {
			t.Errorf("the list that waited: %+v", i)
		}
	}
}
