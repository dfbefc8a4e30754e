// Package faults ends the built program in the middle of what it does, takes the
// disk from under it and has several of it work at once, and then counts: what a
// class list was to do is done once, and whole. Its tests start the program as an
// operator does and look into the database beside it.
//
// The tests of CI are small. The case E-02 in full, with twenty kills of nodes that
// import 50,000 rows, takes some three minutes:
//
//	go test ./internal/apptest/faults -count=1 -timeout 60m -v -run E02 -args -rows 50000 -kills 20
package faults
