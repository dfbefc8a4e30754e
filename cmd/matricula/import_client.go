package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"matricula/internal/api"
	"matricula/internal/config"
	"matricula/internal/lms"
)

// How long is waited. A server that is restarted is back in seconds, and one that
// is moved in a minute or so.
const (
	dialTimeout    = 10 * time.Second
	askTimeout     = time.Minute
	uploadTimeout  = 11 * time.Minute // the server gives up after ten
	firstPatience  = 5 * time.Second  // before it has answered once: the address may be wrong
	patience       = 2 * time.Minute
	firstRetry     = 250 * time.Millisecond
	longRetry      = 10 * time.Second
	longRetryAfter = time.Minute
)

// maxAnswer bounds what is read of one answer, in bytes: 200 rows of long cells.
const maxAnswer = 64 << 20

// client asks a server through its JSON API.
type client struct {
	http     *http.Client
	base     string
	token    string // secret
	now      func() time.Time
	bar      *progress
	answered bool // has ever answered
}

// newClient makes a client that sends its token to one host and follows nobody
// elsewhere.
func newClient(c config.Client, now func() time.Time, bar *progress) (*client, error) {
	if c.Token == "" {
		return nil, errors.New("there is no API token: put it into MATRICULA_TOKEN or give --token-file (matricula token create makes one)")
	}
	if err := plausibleToken(c.Token); err != nil {
		return nil, fmt.Errorf("MATRICULA_TOKEN %w", err)
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &client{
		base: c.URL, token: c.Token, now: now, bar: bar,
		http: &http.Client{
			Transport: &http.Transport{
				DialContext: dialer.DialContext, TLSHandshakeTimeout: dialTimeout, MaxResponseHeaderBytes: 64 << 10,
				IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// readToken reads a token from a file, or from standard input.
func readToken(name string, stdin io.Reader) (string, error) {
	r := stdin
	if name != standardIn {
		f, err := os.Open(name)
		if err != nil {
			return "", fmt.Errorf("--token-file: %w", err)
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, 4096))
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if err := plausibleToken(token); err != nil {
		return "", fmt.Errorf("--token-file: %s %w", name, err)
	}
	return token, nil
}

// plausibleToken tells what is no token, without repeating it.
func plausibleToken(token string) error {
	if token == "" || len(token) > 200 || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("does not hold an API token and nothing else: put there what matricula token create has printed")
	}
	return nil
}

// refusal is an answer that says no. Its text comes from the server.
type refusal struct {
	Status int
	Type   string // the last part of the problem's type; empty when it is no problem document
	Detail string
	after  time.Duration // Retry-After
}

func (r *refusal) Error() string { return r.Detail }

// again tells whether the same request may be answered otherwise soon.
func (r *refusal) again() bool {
	switch r.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// ask sends a request, and reads the answer into out, of which nothing stays. On an error out
// is as it was.
func ask[T any](ctx context.Context, cl *client, method, path string, in any, out *T) error {
	var sent []byte
	if in != nil {
		var err error
		if sent, err = json.Marshal(in); err != nil {
			return err
		}
	}
	return cl.repeat(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, method, cl.base+"/api/v1"+path, bytes.NewReader(sent))
		if err != nil {
			return err
		}
		if in != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		return answer(cl, req, out)
	})
}

// upload sends a list. The key makes it safe to be sent again.
func (cl *client) upload(ctx context.Context, path, key string, file *listFile, out *api.Import) error {
	return cl.repeat(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, uploadTimeout)
		defer cancel()
		var body io.Reader = http.NoBody
		if file.size > 0 {
			body = &counted{r: io.NewSectionReader(file.File, 0, file.size), bar: cl.bar, size: file.size}
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, cl.base+"/api/v1"+path, body)
		if err != nil {
			return err
		}
		req.ContentLength = file.size
		req.Header.Set("Content-Type", "application/octet-stream")
		req.Header.Set("Idempotency-Key", key)
		return answer(cl, req, out)
	})
}

// counted shows how much of a file was read.
type counted struct {
	r          io.Reader
	bar        *progress
	done, size int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.done += int64(n)
	c.bar.show("Uploading", c.done, c.size)
	return n, err
}

func answer[T any](cl *client, req *http.Request, out *T) error {
	req.Header.Set("Authorization", "Bearer "+cl.token)
	req.Header.Set("Accept", "application/json")
	resp, err := cl.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return cl.refused(resp, b)
	}
	var fresh T
	if err := json.Unmarshal(b, &fresh); err != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return cl.stranger(resp.Status)
	}
	*out = fresh
	return nil
}

// refused reads an answer that says no, and adds the cure where the server, which
// does not know who asks, cannot name it.
func (cl *client) refused(resp *http.Response, body []byte) error {
	r := &refusal{Status: resp.StatusCode}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		r.after = min(time.Duration(seconds)*time.Second, longRetryAfter)
	}
	var p api.Problem
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") && json.Unmarshal(body, &p) == nil && p.Detail != "" {
		r.Type = p.Type[strings.LastIndex(p.Type, "/")+1:]
		r.Detail = printable(p.Detail)
	} else {
		r.Detail = cl.stranger(resp.Status).Detail
	}
	switch {
	case r.Status == http.StatusUnauthorized:
		r.Detail += " Make another one with matricula token create, or on the page \"My account\"."
	case r.Status >= 300 && r.Status < 400:
		r.Detail = cl.base + " sends us elsewhere, where the token is not sent to"
		if to, err := resp.Location(); err == nil {
			r.Detail += fmt.Sprintf(": if the server is there, give --url %s", printable(to.Scheme+"://"+to.Host))
		}
	}
	return r
}

// stranger is the error about an answer that no server of ours gives.
func (cl *client) stranger(status string) *refusal {
	return &refusal{Detail: fmt.Sprintf("%s answers %q, and not as a Matricula server does: check the address (--url or MATRICULA_URL)", cl.base, printable(status))}
}

// repeat asks until there is an answer, for a while: the server may be restarted
// meanwhile, or be without its database. Every request of ours is safe to repeat.
func (cl *client) repeat(ctx context.Context, once func(context.Context) error) error {
	var until time.Time // from the first failure on: an upload alone can take longer
	for pause := firstRetry; ; pause = min(2*pause, longRetry) {
		err := once(ctx)
		var r *refusal
		said := errors.As(err, &r)
		cl.answered = cl.answered || said || err == nil
		switch {
		case err == nil, said && !r.again():
			cl.bar.back()
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case !said && hopeless(err):
			return cl.unreachable(err)
		}
		wait := pause
		if said {
			wait = max(wait, r.after)
		}
		if until.IsZero() {
			limit := firstPatience
			if cl.answered {
				limit = patience
			}
			until = cl.now().Add(limit)
		}
		if cl.now().Add(wait).After(until) {
			if said {
				return r
			}
			return cl.unreachable(err)
		}
		cl.bar.away()
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// hopeless tells what does not get better by itself.
func hopeless(err error) bool {
	var untrusted *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var alien tls.RecordHeaderError
	var dns *net.DNSError
	return errors.As(err, &untrusted) || errors.As(err, &unknown) || errors.As(err, &alien) || (errors.As(err, &dns) && dns.IsNotFound)
}

// unreachable drops the path of a request, which says nothing here.
func (cl *client) unreachable(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("%s does not answer (%w): check the address (--url or MATRICULA_URL), and whether the server runs", cl.base, err)
}

// sleep waits, and answers why it was ended before.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// newestImport is the id of the newest import of a course, 0 when it has none.
func (cl *client) newestImport(ctx context.Context, course int64) (int64, error) {
	var page api.List[api.Import]
	err := ask(ctx, cl, http.MethodGet, fmt.Sprintf("/courses/%d/imports?limit=1", course), nil, &page)
	if err != nil || len(page.Items) == 0 {
		return 0, err
	}
	return page.Items[0].ID, nil
}

// each reads a list page by page.
func each[T any](ctx context.Context, cl *client, path string, query url.Values, do func(*T) error) error {
	query.Set("limit", "200")
	for {
		var page api.List[T]
		if err := ask(ctx, cl, http.MethodGet, path+"?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		for i := range page.Items {
			if err := do(&page.Items[i]); err != nil {
				return err
			}
		}
		if page.NextCursor == nil {
			return nil
		}
		query.Set("cursor", *page.NextCursor)
	}
}

// findCourse finds a course by its id or its code.
func (cl *client) findCourse(ctx context.Context, name string) (c api.Course, err error) {
	code, isCode := strings.CutPrefix(name, "code:")
	if id, err := strconv.ParseInt(name, 10, 64); err == nil && id > 0 && !isCode && name[0] != '0' && name[0] != '+' {
		err := ask(ctx, cl, http.MethodGet, fmt.Sprintf("/courses/%d", id), nil, &c)
		var r *refusal
		if errors.As(err, &r) && r.Status == http.StatusNotFound {
			err = fmt.Errorf("there is no course %d, or you do not see it (digits are an id; if this is a code, write code:%d)", id, id)
		}
		return c, err
	}
	var me api.Me
	if err := ask(ctx, cl, http.MethodGet, "/me", nil, &me); err != nil {
		return c, err
	}
	query := url.Values{}
	if me.SiteRole == string(lms.SiteAdmin) && len(me.CourseIDs) == 0 {
		query.Set("all", "true")
	}
	var found []string
	err = each(ctx, cl, "/courses", query, func(one *api.Course) error {
		if strings.EqualFold(one.Code, strings.TrimSpace(code)) {
			c, found = *one, append(found, fmt.Sprintf("%d (%s)", one.ID, printable(lms.Clip(one.Title, 60))))
		}
		return nil
	})
	switch {
	case err != nil:
		return c, err
	case len(found) == 0:
		return c, fmt.Errorf("you see no course with the code %q: check it, or give the course's id, which stands in the address of its page", lms.Clip(code, 60))
	case len(found) > 1:
		return c, fmt.Errorf("%d courses have the code %q: give the id of one, from %s", len(found), lms.Clip(code, 60), strings.Join(found[:min(len(found), 10)], ", "))
	}
	return c, nil
}
