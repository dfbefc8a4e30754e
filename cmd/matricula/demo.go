package main

import (
	"context"
	"log/slog"

	"matricula/internal/demo"
)

type demoCommand struct {
	Addr string `default:"127.0.0.1:8080" help:"Where to listen, on this computer only; port 0 takes any that is free."`
}

// Run opens the demo school until the context ends. It reads no environment:
// a demo must not depend on how something else is configured.
func (d *demoCommand) Run(ctx context.Context, p *program) error {
	var handler slog.Handler = slog.NewJSONHandler(p.stderr, nil)
	if isTerminal(p.stderr) {
		handler = slog.NewTextHandler(p.stderr, nil)
	}
	return demo.Run(ctx, demo.Options{Addr: d.Addr, Stdout: p.stdout, Log: slog.New(handler), Now: p.now, Version: readBuild().version})
}
