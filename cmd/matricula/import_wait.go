package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"matricula/internal/api"
	"matricula/internal/lms"
	"matricula/internal/rosterfile"
)

// upload sends the list. A node that ends in the middle of reading it leaves an
// import that nobody reads any more: the list is sent again, and goes on with it.
func (im *importing) upload(ctx context.Context, file *listFile) error {
	query := url.Values{"role": {im.Role}}
	if file.name != "" {
		query.Set("name", lms.Clip(file.name, 120))
	}
	for name, on := range map[string]bool{"exact": im.Exact, "confirm_outside": im.ConfirmOutside, "sure": im.Sure, "take_file": im.TakeFile} {
		if on {
			query.Set(name, "true")
		}
	}
	path := fmt.Sprintf("/courses/%d/imports?%s", im.course.ID, query.Encode())
	sending, end := lingering(ctx, answerWithin)
	defer end()
	for range 3 {
		if err := im.client.upload(sending, path, rand.Text(), file, &im.imp); err != nil {
			return err
		}
		err := im.isRead(ctx)
		if !errors.Is(err, errHalfRead) {
			return err
		}
	}
	return errHalfRead
}

// answerWithin is for how long whoever stops an upload still waits for the answer, which
// says what there is to throw away.
const answerWithin = 5 * time.Second

// lingering is a context that ends a while after another one.
func lingering(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(d):
			cancel()
		case <-out.Done():
		}
	})
	return out, func() { stop(); cancel() }
}

var errHalfRead = errors.New("the server began to read the list and did not end: try again")

// readWithin is for how long somebody else's reading of the same list is waited for.
const readWithin = time.Minute

// isRead waits until a list is read. The answer to an upload comes after that, so
// that there is something to wait for only when the list had been sent before.
func (im *importing) isRead(ctx context.Context) error {
	until := im.p.now().Add(readWithin)
	for im.imp.State == string(lms.ImportReading) {
		if im.p.now().After(until) {
			return errHalfRead
		}
		if err := im.look(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

// look waits a moment and reads the import.
func (im *importing) look(ctx context.Context, pause time.Duration) error {
	if err := sleep(ctx, pause); err != nil {
		return err
	}
	return ask(ctx, im.client, http.MethodGet, fmt.Sprintf("/imports/%d", im.imp.ID), nil, &im.imp)
}

// Between two looks at an import. A short list is done in no time, and a long one
// needs no look every moment.
const (
	firstLook = 100 * time.Millisecond
	longLook  = 2 * time.Second
)

// settle waits until nobody works on the import, or it waits for a limit, and shows how
// far it is.
func (im *importing) settle(ctx context.Context, i api.Import) (api.Import, error) {
	for pause := firstLook; lms.ImportState(i.State).Working(); pause = min(pause*5/4, longLook) {
		im.bar.show(stageOf(i.State), i.Done, max(i.Rows, im.bar.rows))
		im.imp = i
		if err := im.look(ctx, pause); err != nil {
			return i, err
		}
		if i = im.imp; i.Paused != nil {
			return i, nil
		}
	}
	return i, nil
}

func stageOf(state string) string {
	switch lms.ImportState(state) {
	case lms.ImportRunning:
		return "Carrying out"
	case lms.ImportUndoing:
		return "Undoing"
	case lms.ImportReading:
		return "Reading"
	}
	return "Checking"
}

// chooseColumns says which column holds what, as asked, and has the list checked
// again if that is not what the server has found.
func (im *importing) chooseColumns(ctx context.Context) (err error) {
	for range 3 {
		i := &im.imp
		switch {
		case i.State == string(lms.ImportFailed):
			return im.failed()
		case i.State != string(lms.ImportColumns) && i.State != string(lms.ImportReady):
			return nil // it is under way, or thrown away: to be said by others
		}
		wanted, err := columnsOf(im.Columns, i.Headings)
		switch {
		case err != nil:
			return err
		case len(wanted) == 0 && i.State == string(lms.ImportColumns):
			return errColumns(i)
		case len(wanted) == 0, i.State == string(lms.ImportReady) && maps.Equal(wanted, i.Columns):
			return nil
		}
		err = im.client.change(ctx, i, api.ImportPatch{Columns: wanted})
		var refused *refusal
		if err != nil && !(errors.As(err, &refused) && refused.Type == "import-busy") { // an answer that was lost had begun it
			return err
		}
		if err != nil {
			if err := im.look(ctx, 0); err != nil {
				return err
			}
		}
		if im.imp, err = im.settle(ctx, im.imp); err != nil {
			return err
		}
	}
	return errors.New("somebody else chooses columns of this list at the same time: agree on them, and run this again")
}

// column is what somebody said about one field.
type column struct{ field, where string }

func parseColumns(typed []string) ([]column, error) {
	var out []column
	for _, t := range typed {
		field, where, ok := strings.Cut(t, "=")
		field, where = strings.TrimSpace(field), strings.TrimSpace(where)
		if !ok || field == "" || where == "" {
			return nil, usageError(fmt.Sprintf("--columns: %q should be a field, =, and a column, such as email=3 or role=Status", lms.Clip(t, 60)))
		}
		if where == "0" {
			return nil, usageError("--columns: the first column is 1")
		}
		if slices.ContainsFunc(out, func(c column) bool { return c.field == field }) {
			return nil, usageError(fmt.Sprintf("--columns: %s is given twice", lms.Clip(field, 60)))
		}
		out = append(out, column{field, where})
	}
	return out, nil
}

// columnsOf finds columns by their numbers from 1, or by their headings.
func columnsOf(typed, headings []string) (map[string]int, error) {
	columns, err := parseColumns(typed)
	if err != nil {
		return nil, err
	}
	out := map[string]int{}
	for _, c := range columns {
		n, err := strconv.Atoi(c.where)
		if err == nil {
			out[c.field] = n - 1
			continue
		}
		found := -1
		for i, h := range headings {
			if lms.FoldSearch(strings.TrimSpace(h)) != lms.FoldSearch(c.where) {
				continue
			}
			if found >= 0 {
				return nil, fmt.Errorf("--columns: two columns are called %q: say which by its number, %d or %d", c.where, found+1, i+1)
			}
			found = i
		}
		if found < 0 {
			return nil, fmt.Errorf("--columns: no column is called %q; the columns are %s", c.where, listColumns(headings))
		}
		out[c.field] = found
	}
	return out, nil
}

func errColumns(i *api.Import) error {
	number := "N"
	if guess, ok := i.Columns[string(rosterfile.Address)]; ok {
		number = strconv.Itoa(guess + 1)
	}
	return fmt.Errorf("it is not plain which column holds the addresses: say it, as with --columns email=%s; the columns are %s", number, listColumns(i.Headings))
}

func listColumns(headings []string) string {
	parts := make([]string, len(headings))
	for i, h := range headings {
		parts[i] = strconv.Itoa(i + 1)
		if h != "" {
			parts[i] += " " + strconv.Quote(h)
		}
	}
	return strings.Join(parts, ", ")
}

// ask waits for an answer from the keyboard, or for the end of patience.
func (im *importing) ask(ctx context.Context) (bool, error) {
	fmt.Fprint(im.p.stderr, "Carry it out? [y/N] ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(im.p.stdin).ReadString('\n') // no answer is no
		answer <- line
	}()
	select {
	case line := <-answer:
		line = strings.ToLower(strings.TrimSpace(line))
		return line == "y" || line == "yes", nil
	case <-ctx.Done():
		fmt.Fprintln(im.p.stderr)
		return false, ctx.Err()
	}
}

// The requests that change an import. All of them are safe to repeat.

func (cl *client) cancel(ctx context.Context, i *api.Import) error {
	return ask(ctx, cl, http.MethodPost, fmt.Sprintf("/imports/%d/cancel", i.ID), nil, i)
}

func (cl *client) undo(ctx context.Context, i *api.Import) error {
	return ask(ctx, cl, http.MethodPost, fmt.Sprintf("/imports/%d/undo", i.ID), nil, i)
}

func (cl *client) start(ctx context.Context, i *api.Import, leaving int64) error {
	return ask(ctx, cl, http.MethodPost, fmt.Sprintf("/imports/%d/start", i.ID), api.ImportStart{Leaving: leaving}, i)
}

func (cl *client) change(ctx context.Context, i *api.Import, p api.ImportPatch) error {
	return ask(ctx, cl, http.MethodPatch, fmt.Sprintf("/imports/%d", i.ID), p, i)
}
