// Package matrix holds the policy of every route, and the test that asks every
// route as every kind of caller (case C-01). It has no code of its own.
package matrix
