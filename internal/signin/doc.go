// Package signin decides who may come in. It speaks OpenID Connect to the
// configured providers, reads what they say about a person as strictly as it
// can be read, and holds Decide, the one function through which every sign-in
// goes, whatever the door.
//
// It must not know the database, the service or our routes: account state is
// an argument, a decision is a value, and others act on it. No address, code
// or token may appear in an error or a log line made here.
package signin
