// Command matricula is the whole program: the server, its demo, and what an
// operator needs beside them. This folder holds flags and wiring; what the
// commands do is done elsewhere.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"matricula/internal/lms"
)

// The exit codes, which scripts rely on.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks to end in order; after that, another one ends at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// program is what every command has at hand.
type program struct {
	environ []string
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	now     func() time.Time
}

type commands struct {
	Demo    demoCommand    `cmd:"" help:"Open a small school of invented people on a throw-away database, with a sign-in page of its own, on this computer only."`
	Serve   serveCommand   `cmd:"" help:"Serve Matricula as the MATRICULA_* variables say, after bringing the database to this version."`
	Migrate migrateCommand `cmd:"" help:"Bring the database to this version, or say why not."`
	Import  importCommand  `cmd:"" help:"Bring a class list into a course of a running server: upload it, look at what it would do, and carry it out."`
	Token   struct {
		Create tokenCommand `cmd:"" help:"Make an API token and print it, once."`
	} `cmd:"" help:"API tokens, made on the database directly."`
	Doctor  doctorCommand  `cmd:"" help:"Check the configuration, the database, mail and each sign-in provider, a line each."`
	Version versionCommand `cmd:"" help:"Print the version, the commit and the schema version."`
}

// usageError is a command line that makes no sense although it can be parsed.
type usageError string

func (e usageError) Error() string { return string(e) }

// exit carries the code with which the parser would end the process.
type exit int

// run is the program without the process around it.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{environ: environ, stdin: stdin, stdout: stdout, stderr: stderr, now: time.Now}
	command, code, err := parse(args, stdout, stderr)
	if command == nil && err == nil {
		return code
	}
	if err == nil {
		command.BindTo(ctx, (*context.Context)(nil))
		err = command.Run(p)
	}
	var usage usageError
	var unparsed *kong.ParseError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage), errors.As(err, &unparsed):
		fmt.Fprintf(stderr, "matricula: %s (see matricula --help)\n", explain(err))
		return exitUsage
	}
	fmt.Fprintf(stderr, "matricula: %s\n", explain(err))
	return exitFailed
}

// parse reads the command line. Without a command and an error, the parser has
// answered by itself, as it does for --help, and code is how.
func parse(args []string, stdout, stderr io.Writer) (command *kong.Context, code int, err error) {
	defer func() {
		if p := recover(); p != nil {
			answered, ok := p.(exit)
			if !ok {
				panic(p)
			}
			command, code, err = nil, int(answered), nil
		}
	}()
	parser, err := kong.New(
		&commands{},
		kong.Name("matricula"), kong.Writers(stdout, stderr), kong.Exit(func(code int) { panic(exit(code)) }),
		kong.Description("Matricula is a learning management system in which nobody has to register before others can work with them."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return nil, 0, err
	}
	command, err = parser.Parse(args)
	return command, 0, err
}

// explain writes an error on one line.
func explain(err error) string {
	text := err.Error()
	var e *lms.Error
	if errors.As(err, &e) && e.Err == nil && text == e.Error() {
		text = e.Message // the places at fault repeat it
	}
	return strings.Join(strings.Fields(text), " ")
}
