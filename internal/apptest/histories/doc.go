// Package histories holds a test that does whatever comes to its mind: people
// are named in all spellings, given roles and privileges, sign in with tokens of
// every shape, are suspended and restored, and the program is stopped and
// started again. Beside the real service over the real store stands a model of
// a few maps, which knows the rules from the security plan and not from the
// code. After every step both must be in the same state, and the invariants of
// package store must hold. What it is about most: an identity comes to a person
// only by a token that proves one of that person's addresses.
//
// CI runs a hundred histories of some thirty steps on SQLite and some on
// PostgreSQL. A hundred thousand take hours of one CPU:
//
//	go test ./internal/apptest/histories -count=1 -timeout 0 -run SQLite -rapid.checks=100000
//
// A history that fails is made as short as possible and written to
// testdata/rapid, from where it runs first the next time.
//
// To add an action, write a method of world that asks the service and does the
// same to the model, and name it in world.actions; what it changes has to show
// in model.lines and in the statement that reads the same lines from the
// database.
package histories
