// Package standardprovider holds the tests in which people sign in through an
// OpenID provider that is none of ours: the certified library zitadel/oidc with
// the server, storage and login page that it ships as its example. It knows
// Matricula as an operator does, by its program, its environment and its HTTP
// answers, and imports nothing of it.
//
// It is a module of its own, so that what the provider needs never becomes a
// dependency of Matricula (ADR 24).
package standardprovider
