// Package histories holds a test that does whatever comes to its mind: people
// are named in all spellings, corrected, withdrawn and told, given roles and
// privileges; they sign in with tokens of every shape, in browsers and programs,
// prove addresses by codes that are right, wrong or another's, ask for what waits
// for another address, are suspended, erased, merged and split; time passes, and
// the program is stopped and started again. Beside the real service over the real
// store stands a model of a few maps, which knows the rules from the security plan
// and not from the code. After every step both must be in the same state, and the
// invariants of package store must hold.
//
// What it is about most is one promise: whoever comes to be a person has shown
// that one of that person's addresses is theirs, and everything that was given to
// that address is there; nobody else ever gets any of it. That is also looked at
// without the model's rules, from what people in the history have seen: a token of
// the provider who hands the address out, or the code that was mailed to it.
//
// CI runs some thousand histories of some thirty steps on SQLite, and a few on
// PostgreSQL. A hundred thousand of sixty steps take long:
//
//	go test ./internal/apptest/histories -count=1 -timeout 0 -run SQLite -rapid.checks=100000 -rapid.steps=60
//
// With -v it tells how often each thing was done and refused. A history that fails
// is made as short as possible and written to testdata/rapid, from where it runs
// first the next time.
//
// To add an action, write a method of world that asks the service and does the
// same to the model, and name it in world.list; what it changes has to show in
// model.lines and in the statement that reads the same lines from the database.
package histories
