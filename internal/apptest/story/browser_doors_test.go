package story_test

import (
	"fmt"
	"time"
)

// requests has somebody with another account say twice that they are of the class. The
// teacher believes them once, and both answers stand on the account page.
func (f *flows) requests() {
	other := colleague("wanda@uni.example", "Wanda", "Rutkiewicz")
	ask := func(address string) {
		f.t.Helper()
		f.press("#claims details summary")
		f.fill("#claimed-address", address)
		f.press(`form[action="/account/claims"] button`)
	}
	f.enter(other)
	f.open("/account")
	ask("one@uni")
	f.v.WaitVisible("#claims .fault")
	f.fill("#claimed-address", "one@uni.example")
	f.press(`form[action="/account/claims"] button`)
	f.v.sees(".flash", "Asked")
	ask("two@uni.example")
	f.v.sees("#claims .rows", "t***@uni.example")
	ask("nobody.there@uni.example")
	f.v.sees("#claims .rows", "n***@uni.example")
	f.press("#claims .rows li:first-child button")
	f.v.sees(".flash", "Withdrawn")

	f.enter(ada)
	f.press(`a[href$="/people/requests"]`)
	f.v.sees("main", "one@uni.example", "two@uni.example")
	// The newest stands first, which is the one about two@uni.example.
	f.press(".claim:first-of-type details summary")
	f.fill(`.claim:first-of-type input[name="reason"]`, "You were not in class.")
	f.press(`.claim:first-of-type form[action$="/refuse"] button`)
	f.v.sees(".flash", "Refused")
	f.press(`.claim form[action$="/approve"] button`)
	f.v.sees(".flash", "Given")
	f.v.sees("main", "Nobody asks")

	f.enter(other)
	f.v.sees(courseLinks, "Algorithms")
	f.open("/account")
	f.v.sees("#claims .rows", "Given to you", "Not given to you", "You were not in class.")
	f.enter(ada)
}

// webhooks makes one, tries it, changes it, renews its secret and deletes it.
func (f *flows) webhooks() {
	f.open(f.course + "/settings")
	f.press(`a[href$="/webhooks"]`)
	f.v.WaitVisible("#url")
	f.fill("#url", "http://intern.example/hooks")
	f.tick(`input[value="enrollment.created"]`)
	f.press("form.stack .actions button")
	f.v.sees(".fault", "https://")
	f.fill("#url", f.campus.URL+"/healthz")
	f.press("form.stack .actions button")
	f.v.sees(".minted", "The secret of this webhook")
	f.press(`form[action$="/test"] button`)
	f.v.sees(".deliveries", "webhook.test")
	f.press(".webhook-change summary")
	f.fill("#description", "Doors of the laboratory")
	f.press("form.change .actions button")
	f.v.sees(".webhook-meta", "Doors of the laboratory")
	f.press(".webhook-change summary")
	f.press("form.renew button")
	f.v.sees(".minted", "The secret of this webhook")
	f.press(".webhook-change summary")
	f.press("form.delete button")
	f.v.sees(".flash", "deleted")
}

// directory sets one up, says who it speaks for, renews its token and stops it.
func (f *flows) directory() {
	f.open("/admin/settings")
	f.press(`main a[href="/admin/directories"]`)
	f.v.WaitVisible("#name")
	f.fill("#name", "Entra")
	f.press("form.stack .actions button")
	f.v.sees(".minted", "The token of Entra")
	f.choose("#provider", "Goog")
	f.press("form.save .actions button")
	f.v.sees(".flash", "Saved")
	f.press("form.renew button")
	f.v.sees(".minted", "The token of Entra")
	f.press("form.end button")
	f.v.sees("main", "It has none, so it cannot call")
}

// limits sets one, lifts another for somebody, and ends that.
func (f *flows) limits() {
	f.open("/admin/settings")
	f.press(`main a[href="/admin/limits"]`)
	f.v.WaitVisible("#lift-for")
	f.fill("#lift-for", "not an address")
	f.pick("#lift-until", twinDay())
	f.press(`form[action="/admin/limits/lift"] .actions button`)
	f.v.WaitVisible("#lift-for-fault")
	f.fill("#lift-for", ada.Email)
	f.fill("#lift-reason", "She names the whole department")
	f.press(`form[action="/admin/limits/lift"] .actions button`)
	f.v.sees(".lifted", "She names the whole department")
	f.press(`form[action="/admin/limits/end"] button`)
	f.v.sees(".lifted", "No limit is lifted")
	f.fill(`.limits tbody tr:first-child input[name="amount"]`, "777")
	f.press(`.limits tbody tr:first-child button`)
	f.v.sees(".flash", "The limit is set")
	if got := f.v.Value(`.limits tbody tr:first-child input[name="amount"]`); got != "777" {
		f.t.Errorf("the limit that was set is %q", got)
	}
}

// twinDay is the next day whose month has the same number as it, so that it is typed
// alike in every language.
func twinDay() string {
	d := time.Now().AddDate(0, 0, 2)
	for int(d.Month()) != d.Day() {
		d = d.AddDate(0, 0, 1)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year(), d.Month(), d.Day())
}
