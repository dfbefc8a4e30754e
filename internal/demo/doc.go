// Package demo is a small school of invented people on a throw-away database,
// with an OpenID provider of its own on loopback. It makes everything through
// the use cases, as people would have, so that what it shows is what the
// program does. Nothing that serves a real school may import it, and it is
// never reachable from another machine: it believes everyone about who they
// are.
package demo
