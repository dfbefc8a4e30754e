package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	"matricula/bench/school"
	"matricula/internal/access"
	"matricula/internal/jobs"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store"
)

// figures are what a child process has measured.
type figures struct {
	Whole   time.Duration
	Ready   time.Duration // of that until it was checked
	Carried time.Duration // of that from its start until it was done
	Peak    int64         // bytes
}

// child runs this program as another process.
func child(ctx context.Context, args ...string) (f figures, err error) {
	self, err := os.Executable()
	if err != nil {
		return f, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return f, fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return f, json.Unmarshal(out, &f)
}

func runChild(ctx context.Context, o options, out io.Writer) (err error) {
	var f figures
	switch o.child {
	case "import":
		f, err = importList(ctx, o)
	case "bulk":
		f, err = bulkLoad(ctx, o)
	default:
		err = fmt.Errorf("-child %s: unknown", o.child)
	}
	if err != nil {
		return err
	}
	if f.Peak, err = peakMemory("self"); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(f)
}

// peakMemory is the most that a process has held, as Linux counts it. What getrusage
// says would begin with the peak of whoever started it.
func peakMemory(pid string) (int64, error) {
	f, err := os.Open("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if fields := strings.Fields(s.Text()); len(fields) == 3 && fields[0] == "VmHWM:" {
			kB, err := strconv.ParseInt(fields[1], 10, 64)
			return kB << 10, err
		}
	}
	return 0, errors.New("no VmHWM: this needs Linux")
}

// list writes a class list of people whom nobody knows and returns its path. Lists
// with different marks have nobody in common.
func (b *bench) list(rows int, mark string) (string, error) {
	path := filepath.Join(b.folder, fmt.Sprintf("list-%s-%d.csv", mark, rows))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	w := csv.NewWriter(bufio.NewWriterSize(f, 1<<16))
	random := rand.New(rand.NewPCG(3, uint64(rows)))
	if err := w.Write([]string{"given name", "family name", "email", "student number"}); err != nil {
		return "", err
	}
	for i := range rows {
		given, family := school.Name(random)
		if err := w.Write([]string{given, family, school.Address(given, family, mark, int64(i)), fmt.Sprintf("%08d", i)}); err != nil {
			return "", err
		}
	}
	w.Flush()
	return path, errors.Join(w.Error(), f.Close())
}

// begun is a database with a teacher and a course. Its rows are the same each time.
type begun struct {
	store  *store.Store
	svc    *service.Service
	owner  access.Caller
	secret string // of the owner's session
	course int64
}

var provider = signin.Provider{Name: "campus", Label: "Campus", Issuer: "https://id.uni.example", ClientID: "matricula", Kind: signin.KindOIDC, TrustAll: true}

func begin(ctx context.Context, dsn string) (b *begun, err error) {
	b = &begun{}
	if b.store, err = store.Open(ctx, dsn); err != nil {
		return nil, err
	}
	if err := b.store.Migrate(ctx); err != nil {
		return nil, errors.Join(err, b.store.Close())
	}
	b.svc = service.New(b.store, service.Options{Now: time.Now, Log: slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), SignUp: signin.SignUpAnyone})
	err = b.svc.NameAdmins(ctx, []lms.Email{"root@uni.example"})
	if err == nil {
		b.owner, b.secret, err = b.signIn(ctx, "root@uni.example")
	}
	if err == nil {
		b.course, err = b.newCourse(ctx, "Everything")
	}
	if err != nil {
		return nil, errors.Join(err, b.store.Close())
	}
	return b, nil
}

func (b *begun) signIn(ctx context.Context, email string) (access.Caller, string, error) {
	in, err := b.svc.SignIn(ctx, provider, signin.Token{Issuer: provider.Issuer, Subject: email, Email: email, EmailVerified: signin.VerifiedTrue}, "bench", "")
	return access.Caller{UserID: in.User.ID, Kind: in.User.Kind, SiteRole: in.User.SiteRole, SessionID: in.Session.ID}, in.Secret, err
}

func (b *begun) newCourse(ctx context.Context, title string) (int64, error) {
	v, err := b.svc.CreateCourse(ctx, b.owner, lms.CourseFields{Title: title}, nil)
	return v.Course.ID, err
}

// importList brings a list, has it carried out as soon as it is checked, and
// returns when it is done.
func importList(ctx context.Context, o options) (f figures, err error) {
	b, err := begin(ctx, o.dsn)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, b.store.Close()) }()
	stop := jobs.Start(ctx, b.svc, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	defer stop()
	file, err := os.Open(o.file)
	if err != nil {
		return f, err
	}
	defer file.Close()
	if o.profile != "" {
		p, err := os.Create(o.profile)
		if err != nil {
			return f, err
		}
		defer p.Close()
		if err := pprof.StartCPUProfile(p); err != nil {
			return f, err
		}
		defer pprof.StopCPUProfile()
	}
	runtime.GC()
	start := time.Now()
	i, err := b.svc.CreateImport(ctx, b.owner, service.NewImport{CourseID: b.course, Name: "list.csv", File: file}, nil)
	if err != nil {
		return f, err
	}
	if err := b.await(ctx, i.ID, lms.ImportReady); err != nil {
		return f, err
	}
	f.Ready = time.Since(start)
	if _, err := b.svc.StartImport(ctx, b.owner, i.ID, 0); err != nil {
		return f, err
	}
	if err := b.await(ctx, i.ID, lms.ImportDone); err != nil {
		return f, err
	}
	f.Whole = time.Since(start)
	f.Carried = f.Whole - f.Ready
	if i, _, err = b.svc.Import(ctx, b.owner, i.ID); err == nil && i.Counts[lms.DidName] != int64(o.rows) {
		err = fmt.Errorf("the list has %d rows, and these are the results: %v", o.rows, i.Counts)
	}
	return f, err
}

func (b *begun) await(ctx context.Context, id int64, state lms.ImportState) error {
	for {
		i, _, err := b.svc.Import(ctx, b.owner, id)
		switch {
		case err != nil:
			return err
		case i.State == state:
			return nil
		case !i.State.Working():
			return fmt.Errorf("the import is %s instead of %s: %s", i.State, state, i.Fault)
		}
		select {
		case <-time.After(20 * time.Millisecond): // more often, the asking would be felt
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
