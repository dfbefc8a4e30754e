// Package documents holds no code but a test: that the links between the Markdown
// files of the repository lead somewhere.
package documents
