// Package lms holds what Matricula is about: people, addresses, courses,
// enrollments, roles and privileges, and the rules over them that need neither
// a database nor a clock. It imports only the standard library and, for
// addresses, golang.org/x/text and golang.org/x/net.
package lms
