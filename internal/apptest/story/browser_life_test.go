package story_test

import "fmt"

// life is what becomes of a person who was named: a slip is corrected, one who was
// meant to be somebody else is merged, one who never comes is withdrawn.
func (f *flows) life() {
	named := func(address string) {
		f.t.Helper()
		f.open(f.course + "/people")
		f.fill("#email", address)
		f.press("#find-form button")
		f.v.WaitVisible(".panel-form")
		f.choose("#role", "Student")
		f.press(".panel-form .actions button")
		f.v.sees(".flash", "waiting for their first sign-in")
	}
	named("katherin@uni.example")
	f.press(`a[href$="/address"]`)
	f.v.WaitVisible("#right-address")
	f.fill("#right-address", "not an address")
	f.press("form.stack .actions button")
	f.v.WaitVisible(".fault")
	f.fill("#right-address", "katherine@uni.example")
	f.press("form.stack .actions button")
	f.v.sees("main", "katherine@uni.example")

	named("grace@uni.exmaple")
	f.press("a.merging")
	f.v.sees("h1", "Merge two accounts")
	f.fill("#keep", "grace@uni.example")
	f.press("form.stack .actions button")
	f.v.sees("main", "Nothing has happened yet")
	f.press(`form[action="/merges"] a.second`)
	f.v.WaitVisible("#keep")

	named("nobody@uni.example")
	f.press(`a[href$="/address"]`)
	f.v.WaitVisible("#right-address")
	f.tick(`input[name="confirm"]`)
	f.press("button.danger")
	f.v.sees(".flash", "Withdrawn")
}

// accounts merges, splits, suspends, restores and erases, as an administrator.
func (f *flows) accounts() {
	name := func(address string) {
		f.t.Helper()
		f.open("/admin/people")
		f.fill("form.stack #email", address)
		f.press("form.stack .actions button")
		f.v.sees(".flash", "Named")
	}
	name("dorothy@uni.example")
	kept := f.v.id("people")
	name("dorothy.v@uni.example")
	f.press("a.merging")
	f.v.WaitVisible("#keep")
	f.fill("#keep", "dorothy@uni.example")
	f.press("form.stack .actions button")
	f.v.sees("main", "Nothing has happened yet")
	f.press(`form[action="/merges"] button`)
	f.v.sees("main", "Split them again")
	f.press(`form[action$="/split"] button`)
	f.v.sees("main", "Split")

	f.open(fmt.Sprintf("/admin/people/%d", kept))
	f.press("button.danger")
	f.v.sees(".badge", "Suspended")
	f.press(`form[action$="/status"] button`)
	f.v.sees(".badge", "Has not signed in yet")
	f.press(`a[href$="/erase"]`)
	f.v.WaitVisible(`input[name="sure"]`)
	f.tick(`input[name="sure"]`)
	f.press("button.danger")
	f.v.sees("main", "erased")

	f.open("/admin/people")
	f.fill("#find-address", "dorothy@uni.example")
	f.press(`form[action="/admin/people/find"] button`)
	f.v.WaitVisible(".fault, .notice, .empty")
}

// calendar makes an academic year with a term, and a source that brings lists.
func (f *flows) calendar() {
	f.open("/admin/terms")
	f.fill("form.stack [name=name]", "2030/31")
	f.pick("form.stack [name=begins_on]", "2030-09-09")
	f.pick("form.stack [name=ends_on]", "2031-08-08")
	f.press("form.stack .actions button")
	f.v.sees("main", "2030/31")
	f.open("/admin/sources")
	f.fill("#name", "Student office")
	f.choose("#kind", "Somebody uploads")
	f.press("form.stack .actions button")
	f.v.sees("h1", "Student office")
	f.press("details.card summary")
	f.press("form.delete button")
	f.v.sees("main", "Roster sources")
	f.open("/admin/mail")
	f.v.sees("main", "MATRICULA_SMTP")
}
