package web_test

import (
	"net/http"
	"testing"
)

func TestWhoHasLeftIsListedAndTakenBack(t *testing.T) {
	c := algorithms(t)
	c.ada.get(c.path+"/people/left").want(http.StatusOK).says(".empty", "Nobody has left")
	sam := c.enroll("assistant", "sam@uni.example")
	c.ada.post(c.path+"/people/privileges", "user_id", itoa(sam), "was", "roster.manage roster.view", "privilege", "audit.view").want(http.StatusSeeOther)
	c.ada.post(c.path + "/people/" + itoa(sam) + "/remove").want(http.StatusSeeOther)
	page := c.ada.get(c.path+"/people/left").want(http.StatusOK).says("tbody", "sam@uni.example").says("tbody", "Assistant").says("tbody", "Was removed")
	if rows := c.ada.post(c.path + "/people/left").rows(); len(rows) != 2 || rows[1][0] != "sam@uni.example" {
		t.Errorf("the table is %v", rows)
	}
	page.submit("tbody form").wantTo(c.path + "/people/" + itoa(sam))
	if m := c.member(sam); m.Enrollment == nil || m.Enrollment.Role.Key != "assistant" || m.Grant == nil || m.Grant.Allow != may("audit.view") {
		t.Errorf("taken back: %+v", m)
	}
	c.ada.get(c.path+"/people/left").says("tbody", "In the course again")
	c.ada.get(c.path+"/people/"+itoa(sam)).says("main", "Was here before as Assistant")
	// Who only stands in the roster neither sees nor restores.
	b := c.signedIn("sam@uni.example", "Sam", "Student")
	b.post(c.path + "/people/" + itoa(c.ada.user.ID) + "/back").want(http.StatusForbidden)
	c.ada.post(c.path + "/people/" + itoa(c.admin.user.ID) + "/back").want(http.StatusNotFound)
}
