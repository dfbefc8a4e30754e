package storetest

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"

	"matricula/internal/apptest/leash"
)

const (
	startLimit = 60 * time.Second
	stopLimit  = 30 * time.Second
)

// Running tells whether the server process lives.
func (c *Cluster) Running() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server != nil
}

// Start starts a server that was stopped, on its old port, and returns when it
// takes connections: after crash recovery, if it did not stop in order.
func (c *Cluster) Start() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server != nil {
		return nil
	}
	deadline := time.Now().Add(startLimit)
	for {
		err := c.run(deadline)
		// After a kill the old backends need a moment to see that their
		// server is gone, and until then the folder is locked.
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Stop ends all sessions and shuts the server down in order.
func (c *Cluster) Stop() error { return c.end(syscall.SIGINT) }

// StopImmediate makes all server processes quit at once, without writing
// anything more: the next start recovers as after a crash.
func (c *Cluster) StopImmediate() error { return c.end(syscall.SIGQUIT) }

// Kill ends the server and the processes that it started, as kill -9 does to
// each.
func (c *Cluster) Kill() error { return c.end(syscall.SIGKILL) }

func (c *Cluster) end(signal syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil {
		return nil
	}
	var backends []int
	if signal == syscall.SIGKILL {
		// Left alone, a backend would answer for a moment longer, until it
		// saw that its server was gone.
		var err error
		if backends, err = children(c.server.Process.Pid); err != nil {
			return err
		}
	}
	if err := c.server.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("PostgreSQL: send %v to the server: %w", signal, err)
	}
	select {
	case <-c.exited:
	case <-time.After(stopLimit):
		return fmt.Errorf("PostgreSQL: the server still runs %v after %v", stopLimit, signal)
	}
	c.server = nil
	for _, pid := range backends {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("PostgreSQL: kill the backend %d: %w", pid, err)
		}
	}
	for deadline := time.Now().Add(stopLimit); slices.ContainsFunc(backends, alive); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL: backends still run %v after they were killed", stopLimit)
		}
	}
	return c.leash.Release()
}

// children lists the processes that a process has started and that still run.
func children(pid int) ([]int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL: list the server's processes: %w", err)
	}
	var pids []int
	for _, field := range strings.Fields(string(text)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("PostgreSQL: list the server's processes: %w", err)
		}
		pids = append(pids, child)
	}
	return pids, nil
}

// alive tells whether a process runs; one that has ended but that nobody has
// waited for, which in a container can stay for good, does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

// Close ends the server at once and removes its folder.
func (c *Cluster) Close() error {
	return errors.Join(c.admin.Close(), c.StopImmediate(), c.leash.Close())
}

// run starts the server once and waits until it answers. The caller holds mu.
func (c *Cluster) run(deadline time.Time) error {
	logPath := filepath.Join(c.folder, "server.log")
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	defer log.Close()
	cmd := c.command("postgres", "-D", filepath.Join(c.folder, "data"),
		"-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(c.port),
		"-c", "unix_socket_directories=",
		"-c", "max_connections=300", "-c", "shared_buffers=128MB",
		"-c", "fsync=on", "-c", "full_page_writes=on", "-c", "synchronous_commit=on")
	// Not the test's own output: the go command waits until nobody holds it.
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	if err := c.leash.Hold(cmd.Process.Pid, "QUIT"); err != nil {
		return errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(exited)
	}()
	c.server, c.exited = cmd, exited
	for {
		err := c.admin.Ping()
		if err == nil {
			return nil
		}
		select {
		case <-exited:
			c.server = nil
			return errors.Join(fmt.Errorf("the server ended at once: %s", tail(logPath)), c.leash.Release())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server takes no connections after %v: %w: %s", startLimit, err, tail(logPath))
		}
	}
}

func newCluster() (*Cluster, error) {
	binaries, err := findBinaries()
	if err != nil {
		return nil, err
	}
	credential, parent, err := whoRuns()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(parent, "matricula-postgres-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the server: %w", err)
	}
	c := &Cluster{folder: folder, binaries: binaries, credential: credential, templates: map[string]*template{}}
	if c.leash, err = leash.New(folder); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if err := c.initialize(); err != nil {
		return nil, errors.Join(err, c.leash.Close())
	}
	return c, nil
}

func (c *Cluster) initialize() error {
	if c.credential != nil {
		if err := os.Chown(c.folder, int(c.credential.Uid), int(c.credential.Gid)); err != nil {
			return fmt.Errorf("hand the folder to the user postgres: %w", err)
		}
	}
	// Nothing is worth a wait for the disk before the first start: no-sync is
	// about the new files alone, not about how the server runs.
	out, err := c.command("initdb", "-D", filepath.Join(c.folder, "data"), "-U", superuser, "-A", "trust",
		"--locale=C.UTF-8", "--encoding=UTF8", "--no-sync", "--no-instructions").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLine(out))
	}
	// Between the moment a port is found free and the moment the server takes
	// it, another process may: then the next one is tried.
	for try := 0; ; try++ {
		if c.port, err = freePort(); err != nil {
			return err
		}
		if c.admin, err = sql.Open("pgx", c.address(superuser, "postgres")); err != nil {
			return fmt.Errorf("open the superuser's pool: %w", err)
		}
		c.admin.SetMaxIdleConns(2)
		c.mu.Lock()
		err = c.run(time.Now().Add(startLimit))
		c.mu.Unlock()
		if err == nil {
			break
		}
		if try == 5 {
			return errors.Join(err, c.admin.Close(), c.StopImmediate())
		}
		if err := errors.Join(c.admin.Close(), c.StopImmediate()); err != nil {
			return err
		}
	}
	if _, err := c.admin.Exec(`CREATE ROLE ` + owner + ` LOGIN`); err != nil {
		return errors.Join(fmt.Errorf("create the role %s: %w", owner, err), c.admin.Close(), c.StopImmediate())
	}
	return nil
}

// command runs one of PostgreSQL's programs as the user who may run them, in a
// group of its own, so that the interrupt key reaches only the tests, and
// without the environment's PG* variables.
func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.binaries, name), args...)
	cmd.Dir = c.folder
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.credential}
	return cmd
}

// findBinaries returns the folder of PostgreSQL's server programs. Debian keeps
// them out of PATH, one folder for each major version; 15 is the version that
// Matricula promises to run on, so it comes first.
func findBinaries() (string, error) {
	folders := []string{"/usr/lib/postgresql/15/bin"}
	others, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", fmt.Errorf("look for PostgreSQL: %w", err)
	}
	slices.Reverse(others)
	folders = append(folders, others...)
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(out)))
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		folders = append(folders, filepath.Dir(path))
	}
	for _, folder := range folders {
		if isFile(filepath.Join(folder, "postgres")) && isFile(filepath.Join(folder, "initdb")) {
			return folder, nil
		}
	}
	return "", errors.New("the server is not installed; `make deps` installs it (Debian: apt-get install postgresql-15)")
}

// whoRuns returns as whom the server runs, and where its folder goes.
// PostgreSQL refuses to run as root, so root's tests run it as the user that
// the Debian package made, in a folder which that user can reach.
func whoRuns() (*syscall.Credential, string, error) {
	if os.Getuid() != 0 {
		return nil, "", nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, "", fmt.Errorf("the server does not run as root, and there is no user postgres to run it as: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, "", fmt.Errorf("the user postgres has the id %q: %w", u.Uid, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, "", fmt.Errorf("the user postgres has the group %q: %w", u.Gid, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, "/tmp", nil
}

// freePort picks a port below those that Linux gives to outgoing connections, so
// that none of these takes it while a private cluster is stopped.
func freePort() (int, error) {
	for range 100 {
		port := 15000 + rand.IntN(32768-15000)
		l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("look for a free port: %w", err)
		}
		return port, l.Close()
	}
	return 0, errors.New("look for a free port: a hundred are taken")
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// tail returns the last lines of a log, on one line.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "no log: " + err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], " | ")
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
