// Package neverrules holds no code but a test: that the repository keeps the
// never-rules of CONTRIBUTING.md, such as which layer may import which.
package neverrules
