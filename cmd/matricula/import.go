package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"matricula/internal/api"
	"matricula/internal/config"
	"matricula/internal/lms"
	"matricula/internal/rosterfile"
)

// importCommand brings a class list into a course of a running server. It is a
// client of the JSON API: what the caller may not do on the pages, they may not do
// here, and everything stands in the audit.
type importCommand struct {
	Course string `arg:"" optional:"" help:"The course: its id, or its code when only one course that you see has it. Digits alone are an id; code:201 is a code."`
	File   string `arg:"" optional:"" help:"The list, as CSV, TSV or XLSX; - is standard input."`

	URL       string `placeholder:"ADDRESS" help:"The server. Without this, MATRICULA_URL."`
	TokenFile string `placeholder:"FILE" help:"A file that holds the API token; - is standard input. Without this, MATRICULA_TOKEN."`

	Role           string   `default:"student" placeholder:"KEY" help:"The role of rows that say none; student without this."`
	Exact          bool     `help:"Make the roster exactly this list: whoever has a role of the list and does not stand in it leaves the course."`
	ConfirmOutside bool     `help:"Unknown addresses outside the school's own domains are meant."`
	Sure           bool     `help:"Addresses that look like slips are right."`
	TakeFile       bool     `help:"Where somebody has set another value by hand, take the list's."`
	Columns        []string `placeholder:"FIELD=COLUMN,…" help:"Which column holds what, by its number from 1 or its heading, such as email=3,role=Status. Other columns are not read. The fields are email, given_name, family_name, name, role, student_number, section, begins, ends, privileges, leaves and sourced_id."`

	DryRun       bool   `help:"Print what the list would do, and throw it away."`
	Yes          bool   `short:"y" help:"Carry the list out without asking."`
	AllowRefused bool   `help:"Rows that cannot be carried out are no failure."`
	Report       string `placeholder:"FILE" help:"Write every row, with what became of it, to a CSV file."`

	Cancel int64 `placeholder:"ID" help:"Stop an import that is being carried out, or throw one away that has not begun."`
	Undo   int64 `placeholder:"ID" help:"Take back what an import did, as far as nobody has built on it."`
}

// Help is what stands below the list of flags.
func (importCommand) Help() string {
	return "The exit code is 0 when everything in the list was done, or with --dry-run could be; 1 when the import failed or rows were refused or left; 2 when the command line makes no sense."
}

// standardIn is how a file on the command line means standard input.
const standardIn = "-"

// check refuses what makes no sense, before anybody is asked anything.
func (c *importCommand) check(p *program) error {
	if c.Cancel < 0 || c.Undo < 0 {
		return usageError("the id of an import is a number from 1")
	}
	if c.Cancel > 0 || c.Undo > 0 {
		switch {
		case c.Cancel > 0 && c.Undo > 0:
			return usageError("--cancel and --undo are two commands: stop the import first, then undo it")
		case c.Course != "" || c.DryRun || c.Exact || len(c.Columns) > 0 || c.Report != "":
			return usageError("--cancel and --undo are about an import that is there, and take no list and no options of one")
		}
		return nil
	}
	switch {
	case c.Course == "" || c.File == "":
		return usageError("expected a course and a file")
	case c.DryRun && c.Yes:
		return usageError("--dry-run carries nothing out, so --yes makes no sense with it")
	case c.File == standardIn && c.TokenFile == standardIn:
		return usageError("standard input cannot be both the token and the list")
	}
	if _, err := parseColumns(c.Columns); err != nil {
		return err
	}
	if !c.DryRun && !c.Yes && (c.File == standardIn || c.TokenFile == standardIn || !isTerminal(p.stdin)) {
		return usageError("nobody can be asked here, since standard input is no terminal: look at the list with --dry-run, or carry it out with --yes")
	}
	return nil
}

// Run brings a list, or stops or undoes one.
func (c *importCommand) Run(ctx context.Context, p *program) (err error) {
	if err := c.check(p); err != nil {
		return err
	}
	settings, err := config.LoadClient(p.environ, c.URL)
	if err != nil {
		return err
	}
	if c.TokenFile != "" {
		if settings.Token, err = readToken(c.TokenFile, p.stdin); err != nil {
			return err
		}
	}
	bar := newProgress(p.stderr, p.now)
	defer bar.end()
	cl, err := newClient(settings, p.now, bar)
	if err != nil {
		return err
	}
	im := &importing{importCommand: c, p: p, client: cl, bar: bar, people: map[int64]string{}}
	switch {
	case c.Cancel > 0:
		return im.stop(ctx, c.Cancel)
	case c.Undo > 0:
		return im.takeBack(ctx, c.Undo)
	}
	return im.bring(ctx)
}

// importing is one list on its way.
type importing struct {
	*importCommand
	p      *program
	client *client
	bar    *progress

	course api.Course
	imp    api.Import
	older  bool // was there before this command
	report *report
	people map[int64]string // as they are called, by id
}

// bring uploads a list, shows what it would do, and carries it out.
func (im *importing) bring(ctx context.Context) (err error) {
	file, err := im.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.close()) }()
	if im.Report != "" {
		if im.report, err = newReport(im.Report); err != nil {
			return err
		}
		defer im.report.abandon()
	}
	if im.course, err = im.client.findCourse(ctx, im.Course); err != nil {
		return im.thrownAway(ctx, err)
	}
	if err := im.prepare(ctx, file); err != nil {
		return im.thrownAway(ctx, err)
	}
	if im.imp.State == string(lms.ImportReady) {
		return im.decide(ctx)
	}
	// The same list was begun before, by this caller, and is under way.
	if im.DryRun {
		return fmt.Errorf("this list is %s already, as import %d: a dry run of it would show nothing", im.imp.State, im.imp.ID)
	}
	fmt.Fprintf(im.p.stdout, "This list is %s already, as import %d.\n", im.imp.State, im.imp.ID)
	return im.follow(ctx)
}

// prepare uploads the list, chooses its columns and waits until it is checked.
func (im *importing) prepare(ctx context.Context, file *listFile) (err error) {
	newest, err := im.client.newestImport(ctx, im.course.ID)
	if err != nil {
		return err
	}
	if err := im.upload(ctx, file); err != nil {
		return err
	}
	if im.older = im.imp.ID <= newest; im.older {
		if err := im.asAsked(); err != nil {
			return err
		}
	}
	if im.imp.State == string(lms.ImportRunning) {
		return nil
	}
	if im.imp, err = im.settle(ctx, im.imp); err != nil {
		return err
	}
	return im.chooseColumns(ctx)
}

// asAsked makes sure that a list that was there before is meant as it is meant now:
// somebody may have changed that on the pages since.
func (im *importing) asAsked() error {
	i := &im.imp
	if i.Role == im.Role && i.Exact == im.Exact && i.Outside == im.ConfirmOutside && i.Sure == im.Sure && i.TakeFile == im.TakeFile {
		return nil
	}
	return fmt.Errorf("the same list is there already as import %d, and is meant in another way: throw it away with matricula import --cancel %d, and run this again", i.ID, i.ID)
}

// decide shows what a list that is checked would do, and carries it out or throws it
// away.
func (im *importing) decide(ctx context.Context) error {
	if err := im.showPlan(ctx); err != nil {
		return im.thrownAway(ctx, err)
	}
	if im.DryRun {
		if err := im.writeReport(ctx); err != nil {
			return im.thrownAway(ctx, err)
		}
		planned := im.imp.Counts // which go with the list
		if im.older {
			fmt.Fprintf(im.p.stdout, "Import %d was there before, and waits as it did.\n", im.imp.ID)
		} else if err := im.client.cancel(ctx, &im.imp); err != nil {
			return err
		}
		return im.complain(planned, "would be carried out")
	}
	if !im.Yes {
		yes, err := im.ask(ctx)
		if err == nil && !yes {
			err = errors.New("nothing was changed")
		}
		if err != nil {
			return im.thrownAway(ctx, err)
		}
	}
	leaving := im.imp.Counts[lms.PlanRemove]
	if err := im.client.start(ctx, &im.imp, leaving); err != nil {
		var refused *refusal
		switch {
		case errors.As(err, &refused):
			return im.thrownAway(ctx, err)
		case ctx.Err() != nil:
			return im.goesOn()
		}
		return fmt.Errorf("whether import %d has begun is not known; matricula import --cancel %d stops it: %w", im.imp.ID, im.imp.ID, err)
	}
	im.bar.rows = im.imp.Rows + leaving
	return im.follow(ctx)
}

// follow waits until the list is carried out, and says what became of it.
func (im *importing) follow(ctx context.Context) (err error) {
	id := im.imp.ID
	if im.imp, err = im.settle(ctx, im.imp); err != nil {
		if ctx.Err() != nil {
			return im.goesOn()
		}
		return fmt.Errorf("import %d goes on at the server, or will when it is back, and cannot be followed: %w", id, err)
	}
	im.bar.end()
	if p := im.imp.Paused; p != nil {
		return fmt.Errorf("import %d waits after %d of %d rows: %s Run the same command again to follow it, or stop it with matricula import --cancel %d", id, im.imp.Done, im.imp.Rows, printable(p.Detail), id)
	}
	if err := errors.Join(im.showResult(ctx), im.writeReport(ctx)); err != nil {
		return err
	}
	switch im.imp.State {
	case string(lms.ImportDone):
		return im.complain(im.imp.Counts, "carried out")
	case string(lms.ImportCanceled):
		return fmt.Errorf("import %d was stopped by somebody after %d rows, which stay: matricula import --undo %d takes them back", id, im.imp.Done, id)
	case string(lms.ImportFailed):
		return im.failed()
	}
	return fmt.Errorf("import %d was carried out and is %s by now: somebody has undone it", id, im.imp.State)
}

// goesOn is what there is to say when somebody stops waiting.
func (im *importing) goesOn() error {
	id := im.imp.ID
	return fmt.Errorf("no longer waiting: import %d goes on at the server. Stop it with matricula import --cancel %d; what it did is taken back with matricula import --undo %d", id, id, id)
}

func (im *importing) failed() error {
	fault := "unknown"
	if im.imp.Fault != nil {
		fault = *im.imp.Fault
	}
	if im.imp.StartedAt == nil {
		return fmt.Errorf("import %d could not be checked (%s); nothing was changed", im.imp.ID, printable(fault))
	}
	return fmt.Errorf("import %d ended after %d rows (%s), which stay: matricula import --undo %d takes them back", im.imp.ID, im.imp.Done, printable(fault), im.imp.ID)
}

// complain is the error about rows that are not carried out.
func (im *importing) complain(counts map[string]int64, what string) error {
	refused, left := counts[lms.PlanRefused], counts[lms.PlanLeft]+counts[lms.PlanAsk]+counts[lms.PlanConflict]
	if im.AllowRefused || refused+left == 0 {
		return nil
	}
	return fmt.Errorf("not all of the list %s: %d rows refused and %d left (see above; correct the list, or use --confirm-outside, --sure or --take-file; --allow-refused makes this no failure)", what, refused, left)
}

// thrownAway takes back a list that was not begun, so that nothing is left of it.
func (im *importing) thrownAway(ctx context.Context, cause error) error {
	stopped := ctx.Err() != nil
	if stopped {
		cause = errors.New("stopped before anything was changed")
	}
	if im.imp.ID == 0 || im.older || im.imp.StartedAt != nil || im.imp.EndedAt != nil {
		return cause
	}
	im.bar.end()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := im.client.cancel(ctx, &im.imp); err != nil {
		return fmt.Errorf("%w (import %d waits at the server still: matricula import --cancel %d throws it away)", cause, im.imp.ID, im.imp.ID)
	}
	return cause
}

// stop cancels an import.
func (im *importing) stop(ctx context.Context, id int64) error {
	im.imp.ID = id
	if err := im.client.cancel(ctx, &im.imp); err != nil {
		return err
	}
	switch i := &im.imp; {
	case i.State != string(lms.ImportCanceled):
		return fmt.Errorf("import %d is %s already, so that there is nothing to stop (matricula import --undo %d takes back what it did)", id, i.State, id)
	case i.StartedAt == nil:
		fmt.Fprintf(im.p.stdout, "Import %d is thrown away. It has changed nothing.\n", id)
	default:
		fmt.Fprintf(im.p.stdout, "Import %d is stopped. %d rows were carried out and stay; matricula import --undo %d takes them back.\n", id, i.Done, id)
	}
	return nil
}

// takeBack undoes an import and waits for it.
func (im *importing) takeBack(ctx context.Context, id int64) (err error) {
	im.imp.ID = id
	if err := im.client.undo(ctx, &im.imp); err != nil {
		return err
	}
	im.bar.rows = im.imp.Rows
	if im.imp, err = im.settle(ctx, im.imp); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("no longer waiting: import %d is being undone at the server", id)
		}
		return fmt.Errorf("import %d is being undone at the server, or will be when it is back, and cannot be followed: %w", id, err)
	}
	im.bar.end()
	if im.imp.State != string(lms.ImportUndone) {
		return im.failed()
	}
	stays, err := im.showStays(ctx)
	switch {
	case err != nil:
		return err
	case stays > 0 && !im.AllowRefused:
		return fmt.Errorf("import %d is undone, but for %d rows that stay (see above; --allow-refused makes this no failure)", id, stays)
	}
	fmt.Fprintf(im.p.stdout, "Import %d is undone.\n", id)
	return nil
}

// listFile is the list to be uploaded. It is never held in memory.
type listFile struct {
	*os.File
	name  string // empty for standard input
	size  int64
	close func() error
}

func (im *importing) open() (*listFile, error) {
	if im.File == standardIn {
		return spool(im.p.stdin, "")
	}
	f, err := os.Open(im.File)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = fmt.Errorf("%s is a folder, not a list", im.File)
	case !info.Mode().IsRegular(): // such as a pipe, which cannot be sent twice
		list, err := spool(f, filepath.Base(im.File))
		return list, errors.Join(err, f.Close())
	case info.Size() > rosterfile.MaxBytes:
		err = fmt.Errorf("%s has %d MB: at most %d MB can be read. Split it", im.File, info.Size()>>20, rosterfile.MaxBytes>>20)
	default:
		return &listFile{File: f, name: filepath.Base(im.File), size: info.Size(), close: f.Close}, nil
	}
	return nil, errors.Join(err, f.Close())
}

// spool keeps what comes but once in a temporary file: when the server is restarted
// meanwhile, it is sent again.
func spool(r io.Reader, name string) (*listFile, error) {
	kept, err := rosterfile.Keep(r)
	if err != nil {
		return nil, err
	}
	info, err := kept.File.Stat()
	if err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	return &listFile{File: kept.File, name: name, size: info.Size(), close: kept.Close}, nil
}
