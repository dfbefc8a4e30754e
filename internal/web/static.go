package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
)

//go:embed static/css/*.css static/js/*.js static/htmx.min.js static/favicon.svg
var staticFiles embed.FS

// assets are the files that pages load. The address of each holds a hash of
// what it contains, so that it can be kept for ever and a new version is asked
// for at once.
type assets struct{ files map[string]asset }

type asset struct {
	content []byte
	version string
	kind    string
}

func embeddedAssets() *assets {
	a := &assets{files: map[string]asset{}}
	a.add("app.css", embedded("static/css/*.css"))
	a.add("app.js", embedded("static/js/*.js"))
	a.add("htmx.min.js", embedded("static/htmx.min.js"))
	a.add("favicon.svg", embedded("static/favicon.svg"))
	return a
}

func (a *assets) add(name string, content []byte) {
	sum := sha256.Sum256(content)
	a.files[name] = asset{content, hex.EncodeToString(sum[:8]), kindOf(name)}
}

// embedded joins the files of a pattern in the order of their names, so that a
// noun has its own part of what the browser gets as one.
func embedded(pattern string) []byte {
	names, err := fs.Glob(staticFiles, pattern)
	if err != nil || len(names) == 0 {
		panic("web: no embedded file is called " + pattern) // cannot happen: they are part of the program
	}
	var all []byte
	for _, name := range names {
		content, err := staticFiles.ReadFile(name)
		if err != nil {
			panic("web: embedded files: " + err.Error())
		}
		all = append(all, content...)
	}
	return all
}

// kindOf does not ask the machine, whose tables differ.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func (a *assets) url(name string) string { return "/static/" + a.files[name].version + "/" + name }

// static serves a file. Under a version that is not the current one, which a
// page that was opened before an update asks for, it is served but not kept.
func (w *Web) static(rw http.ResponseWriter, r *request) error {
	f, ok := w.assets.files[r.PathValue("name")]
	if !ok {
		return errNoPage
	}
	cache := "no-cache"
	if r.PathValue("version") == f.version {
		cache = "public, max-age=31536000, immutable"
	}
	f.write(rw, r, cache)
	return nil
}

// favicon is for browsers that ask for it unasked.
func (w *Web) favicon(rw http.ResponseWriter, r *request) error {
	w.assets.files["favicon.svg"].write(rw, r, "public, max-age=86400")
	return nil
}

func (f asset) write(rw http.ResponseWriter, r *request, cache string) {
	tag := `"` + f.version + `"`
	h := rw.Header()
	h.Set("Cache-Control", cache)
	h.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		rw.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.kind)
	h.Set("Content-Length", strconv.Itoa(len(f.content)))
	rw.Write(f.content)
}
