package web_test

import (
	"fmt"
	"strings"
	"testing"

	"matricula/internal/apptest"
)

const base = "http://127.0.0.1:8080"

func as(p *apptest.Page, email string) {
	p.Open(base + "/sign-in")
	p.Click("button.big")
	p.Fill("#email", email)
	p.Click("button.primary")
}

func TestLook(t *testing.T) {
	p := apptest.Browser(t)
	p.Emulate(1280, 800, false)
	p.Open(base + "/sign-in")
	p.Screenshot("/tmp/look/signin.png")
	as(p, "ada@uni.example")
	p.Screenshot("/tmp/look/home.png")
	fmt.Println(p.URL())
	p.ClickText("a", "Algorithms")
	course := p.URL()
	p.Screenshot("/tmp/look/course.png")
	p.ClickText("nav a", "People")
	p.Screenshot("/tmp/look/people.png")
	p.Fill("#email", "Grace Hopper <grace@uni.example>")
	p.ClickText("button", "Continue")
	p.Screenshot("/tmp/look/slip.png")
	p.ClickText("button", "Use grace")
	p.Screenshot("/tmp/look/found.png")
	p.Click(".panel-part input[value='roster.manage']")
	p.Click(".panel-part input[value='audit.view']")
	p.ClickText(".panel-part button", "Save")
	fmt.Println(p.URL())
	p.Screenshot("/tmp/look/grace.png")
	p.Open(course + "/people")
	p.Fill("#search", "grac")
	p.WaitText("#people", "grace")
	p.Click("#people input[value='course.update']")
	p.WaitText("#people", "Saved")
	p.Screenshot("/tmp/look/row.png")
	fmt.Println("console", p.ConsoleErrors(), p.Text("#live"))
	p.Click("#people input[value='roster.view']")
	p.WaitText("#people", "stays on")
	p.Screenshot("/tmp/look/row2.png")
	p.Open(course + "/people/add")
	p.Fill("#emails", "amara.adeyemi@uni.example, bjoern.branza@uni.example,\nNEW.STUDENT@uni.example, another.one@uni.example\nTom Jones <tom@uni.example>; bad@@uni.example\nx@uni.example.")
	p.Screenshot("/tmp/look/add.png")
	p.ClickText("button", "Add them")
	p.Screenshot("/tmp/look/added.png")
	p.Open(course + "/roles")
	p.Screenshot("/tmp/look/roles.png")
	p.Open(course + "/audit")
	p.Screenshot("/tmp/look/audit.png")
	p.Open(course + "/settings")
	p.Screenshot("/tmp/look/settings.png")
	p.Open(base + "/account")
	p.Screenshot("/tmp/look/account.png")
	p.Open(base + "/nowhere")
	p.Screenshot("/tmp/look/404.png")
	p.Emulate(360, 740, true)
	p.Dark()
	for _, path := range []string{"/", strings.TrimPrefix(course, base), strings.TrimPrefix(course, base) + "/people", strings.TrimPrefix(course, base) + "/audit", "/account"} {
		p.Open(base + path)
		p.Screenshot("/tmp/look/phone" + strings.ReplaceAll(path, "/", "_") + ".png")
		fmt.Println(path, apptest.Eval[int](p, "document.documentElement.scrollWidth"))
	}
	fmt.Println("console", p.ConsoleErrors())
}
