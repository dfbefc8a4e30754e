// Package fetch is how this server asks other servers, at addresses that people have
// typed. It gets the files of roster sources from where the operator has allowed that,
// folders below one folder and https addresses of named hosts, and it posts what
// webhooks tell. It knows nothing of rosters, courses or databases.
package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"matricula/internal/lms"
	"matricula/internal/rosterfile"
)

// Options are what the operator has allowed.
type Options struct {
	Folder string           // below which folders may be read; empty: none
	Hosts  []string         // from which https addresses may be fetched, such as "sis.uni.example" or "sis.uni.example:8443"
	Now    func() time.Time // required
	Client *http.Client     // nil: one of its own; a test's trusts the test's server
}

// Fetcher gets files.
type Fetcher struct {
	opts   Options
	client *http.Client
}

// fetchTimeout bounds one download, whatever its size.
const fetchTimeout = 10 * time.Minute

// settle is how long a file has to have been left alone: one that is still being
// written is not read.
const settle = 5 * time.Second

// New makes a fetcher.
func New(opts Options) *Fetcher {
	f := &Fetcher{opts: opts, client: opts.Client}
	if f.client == nil {
		dialer := &net.Dialer{Timeout: 10 * time.Second, Control: refuseOdd(opts.Hosts)}
		f.client = &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute}}
	} else {
		own := *opts.Client
		f.client = &own
	}
	f.client.Timeout = fetchTimeout
	f.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return f
}

// refuseOdd keeps a host name of the list from leading to an address of this
// machine or of its link that the operator cannot have meant, such as that of a
// cloud's metadata. What is listed as a literal address is meant.
func refuseOdd(hosts []string) func(network, address string, _ syscall.RawConn) error {
	return func(network, address string, c syscall.RawConn) error {
		return dialed(func(ip netip.Addr) bool {
			return !odd(ip.Unmap()) || slices.Contains(hosts, ip.String()) || slices.Contains(hosts, address)
		})(network, address, c)
	}
}

// Got is what was fetched: a file, or a folder that is a OneRoster bundle itself.
type Got struct {
	Kept        *rosterfile.Kept // nil for a folder
	Folder      string
	Name        string // for people
	Fingerprint string
}

// Close removes what is temporary.
func (g *Got) Close() error {
	if g.Kept == nil {
		return nil
	}
	return g.Kept.Close()
}

// Check tells whether a place may be fetched from, before it is stored.
func (f *Fetcher) Check(kind lms.SourceKind, place string) error {
	switch kind {
	case lms.SourceFolder:
		return f.checkFolder(place)
	case lms.SourceHTTPS:
		_, err := f.checkAddress(place)
		return err
	}
	return nil
}

// Fetch gets what lies at a place.
func (f *Fetcher) Fetch(ctx context.Context, kind lms.SourceKind, place string) (*Got, error) {
	if kind == lms.SourceFolder {
		return f.fromFolder(place)
	}
	return f.fromAddress(ctx, place)
}

func (f *Fetcher) checkFolder(place string) error {
	switch {
	case f.opts.Folder == "":
		return lms.Invalid("source-not-allowed", "place", "This server reads no folders. Whoever runs it can allow one with MATRICULA_SOURCES_FOLDER.")
	case place != "." && !filepath.IsLocal(place):
		return lms.Invalid("source-place", "place", "Write the folder as it lies below the one of the server, such as sis/autumn.")
	}
	info, err := os.Stat(filepath.Join(f.opts.Folder, place))
	if err != nil || !info.IsDir() {
		return lms.Invalid("source-place", "place", "There is no folder %q below the one of the server.", place)
	}
	return nil
}

func (f *Fetcher) checkAddress(place string) (*url.URL, error) {
	if len(f.opts.Hosts) == 0 {
		return nil, lms.Invalid("source-not-allowed", "place", "This server fetches from no address. Whoever runs it can allow hosts with MATRICULA_SOURCES_HOSTS.")
	}
	u, err := url.Parse(place)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, lms.Invalid("source-place", "place", "Write an address that begins with https:// and holds no password, such as https://sis.uni.example/roster.zip.")
	}
	if !slices.Contains(f.opts.Hosts, u.Host) {
		return nil, lms.Invalid("source-not-allowed", "place", "This server may not fetch from %s. Whoever runs it can allow that host with MATRICULA_SOURCES_HOSTS.", u.Host)
	}
	return u, nil
}

// fromFolder takes the folder itself when it is a bundle, else the newest of the
// files in it that can be lists.
func (f *Fetcher) fromFolder(place string) (*Got, error) {
	if err := f.checkFolder(place); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(filepath.Join(f.opts.Folder, place))
	if err != nil {
		return nil, unreadable(place, err)
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, unreadable(place, err)
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.EqualFold(e.Name(), "manifest.csv") }) {
		return f.bundleFolder(root, place, entries)
	}
	name, at := "", time.Time{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !slices.Contains([]string{".zip", ".csv", ".tsv", ".txt", ".xlsx"}, strings.ToLower(path.Ext(e.Name()))) {
			continue
		}
		if info.ModTime().After(at) {
			name, at = e.Name(), info.ModTime()
		}
	}
	if name == "" {
		return nil, lms.Errorf(lms.CodeConflict, "source-empty", "There is no list in the folder: no ZIP, CSV, TSV or XLSX file.")
	}
	if f.opts.Now().Sub(at) < settle {
		return nil, lms.Errorf(lms.CodeUnavailable, "source-unsettled", "%s is still being written. The next look is soon.", name)
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, unreadable(place, err)
	}
	defer file.Close()
	return keep(file, name)
}

func unreadable(place string, err error) error {
	return lms.Errorf(lms.CodeConflict, "source-unreadable", "The folder %q cannot be read. Ask whoever runs this server.", place).Because(err)
}

// bundleFolder takes the fingerprint of all tables of a folder.
func (f *Fetcher) bundleFolder(root *os.Root, place string, entries []fs.DirEntry) (*Got, error) {
	h := sha256.New()
	for _, e := range entries {
		if !strings.EqualFold(path.Ext(e.Name()), ".csv") {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, unreadable(place, err)
		}
		if f.opts.Now().Sub(info.ModTime()) < settle {
			return nil, lms.Errorf(lms.CodeUnavailable, "source-unsettled", "%s is still being written. The next look is soon.", e.Name())
		}
		file, err := root.Open(e.Name())
		if err != nil {
			return nil, unreadable(place, err)
		}
		fmt.Fprintf(h, "%s\n", e.Name())
		_, err = io.Copy(h, file)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, unreadable(place, err)
		}
	}
	return &Got{Folder: filepath.Join(f.opts.Folder, place), Name: path.Base(filepath.ToSlash(place)), Fingerprint: hex.EncodeToString(h.Sum(nil))}, nil
}

func (f *Fetcher) fromAddress(ctx context.Context, place string) (*Got, error) {
	u, err := f.checkAddress(place)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	res, err := f.client.Do(req)
	if err != nil {
		return nil, lms.Errorf(lms.CodeConflict, "source-unreachable", "%s does not answer. The next look is at its time.", u.Host).Because(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, lms.Errorf(lms.CodeConflict, "source-unreachable", "%s answers with the status %s instead of a file.", u.Host, fmt.Sprint(res.StatusCode))
	}
	got, err := keep(res.Body, path.Base(u.Path))
	if err != nil && lms.CodeOf(err) == lms.CodeInternal {
		err = lms.Errorf(lms.CodeConflict, "source-unreachable", "%s broke off in the middle of the file. The next look is at its time.", u.Host).Because(err)
	}
	return got, err
}

// Upload takes what somebody sent.
func Upload(r io.Reader, name string) (*Got, error) { return keep(r, name) }

func keep(r io.Reader, name string) (*Got, error) {
	h := sha256.New()
	kept, err := rosterfile.Keep(io.TeeReader(r, h))
	if err != nil {
		return nil, err
	}
	return &Got{Kept: kept, Name: name, Fingerprint: hex.EncodeToString(h.Sum(nil))}, nil
}
