package main

import (
	"fmt"
	"runtime/debug"

	"matricula/internal/store"
)

type versionCommand struct{}

// build is what the Go command noted when it built this program.
type build struct {
	version string
	commit  string
}

func readBuild() build {
	b := build{version: "unknown", commit: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.version = info.Main.Version
	}
	changed := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.commit = s.Value
		case "vcs.modified":
			changed = s.Value == "true"
		}
	}
	if changed {
		b.commit += ", with changes"
	}
	return b
}

// Run prints what a report of a fault should name.
func (versionCommand) Run(p *program) error {
	b := readBuild()
	_, err := fmt.Fprintf(p.stdout, "matricula %s\ncommit %s\nschema %d\n", b.version, b.commit, store.SchemaVersion())
	return err
}
