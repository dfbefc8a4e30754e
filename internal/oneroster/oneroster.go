// Package oneroster reads what student systems export as OneRoster CSV (1EdTech
// OneRoster CSV Binding, versions 1.1 and 1.2): an archive or a folder of tables
// about people, classes and who is in which. It reads a record at a time, says for
// each where it stood, and knows nothing of courses, databases or HTTP. Nothing of
// a table is held in memory, but for hashes of identifiers while Check looks for
// references that lead nowhere.
package oneroster

import (
	"archive/zip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"matricula/internal/lms"
)

// Limits on what is read. A bundle beyond them is refused.
const (
	MaxFiles    = 1000      // in an archive or folder
	MaxUnpacked = 2 << 30   // bytes of all files together
	MaxRecords  = 5_000_000 // of one file
	maxRecord   = 1 << 20   // bytes of one record, so that a quotation mark that is never closed ends somewhere
)

// File is one of the tables that are read, by its name without ".csv".
type File string

// The tables. A bundle may have more, such as results, which are left alone.
const (
	Orgs             File = "orgs"
	AcademicSessions File = "academicSessions"
	Courses          File = "courses"
	Classes          File = "classes"
	Users            File = "users"
	Roles            File = "roles" // since 1.2; in 1.1 users have one role each
	Enrollments      File = "enrollments"
)

// Files are the tables in an order in which none refers to a later one.
var Files = []File{Orgs, AcademicSessions, Courses, Classes, Users, Roles, Enrollments}

func (f File) csv() string { return string(f) + ".csv" }

// Mode is what a table holds.
type Mode string

// The modes.
const (
	Absent Mode = "absent" // nothing is said about these things
	Bulk   Mode = "bulk"   // everything there is
	Delta  Mode = "delta"  // what changed
)

// Bundle is an archive or a folder whose manifest has been read.
type Bundle struct {
	Manifest Manifest

	files map[string]packed // by their names in small letters
	close func() error
}

// packed is one file of a bundle, which can be read more than once.
type packed struct {
	open func() (io.ReadCloser, error)
}

// Open reads the manifest of a ZIP archive or a folder.
func Open(name string) (*Bundle, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		root, err := os.OpenRoot(name)
		if err != nil {
			return nil, err
		}
		b, err := openFolder(root)
		if err != nil {
			root.Close() // what is wrong with its content matters
			return nil, err
		}
		return b, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	b, err := OpenArchive(f, info.Size())
	if err != nil {
		f.Close() // what is wrong with its content matters
		return nil, err
	}
	b.close = f.Close
	return b, nil
}

// OpenArchive reads the manifest of a ZIP archive, which stays the caller's to
// close when the bundle is no longer read.
func OpenArchive(r io.ReaderAt, size int64) (*Bundle, error) {
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // such names are refused below, in words
		return nil, lms.Invalid("oneroster-archive", "file", "This is no ZIP archive that can be read. Choose the archive that the student system exported, and do not unpack it.").Because(err)
	}
	b := &Bundle{files: map[string]packed{}, close: func() error { return nil }}
	if len(z.File) > MaxFiles {
		return nil, errTooManyFiles()
	}
	unpacked := uint64(0)
	folder := commonFolder(z.File)
	for _, f := range z.File {
		name := slashed(f.Name)
		if !fs.ValidPath(strings.TrimSuffix(name, "/")) || strings.Contains(name, ":") {
			return nil, lms.Invalid("oneroster-archive", "file", "The archive holds a file that is called %q, which leads out of it. Export it again.", lms.Clip(f.Name, 60))
		}
		if strings.HasSuffix(name, "/") {
			continue
		}
		if f.Flags&1 != 0 {
			return nil, lms.Invalid("oneroster-archive", "file", "The archive is protected by a password, and %q in it cannot be read. Export it without one.", lms.Clip(f.Name, 60))
		}
		if unpacked += f.UncompressedSize64; unpacked > MaxUnpacked || unpacked < f.UncompressedSize64 {
			return nil, errTooLarge()
		}
		name = strings.TrimPrefix(name, folder)
		if strings.Contains(name, "/") || !strings.HasSuffix(strings.ToLower(name), ".csv") {
			continue // what an operating system added, or another archive
		}
		if err := b.add(name, packed{f.Open}); err != nil {
			return nil, err
		}
	}
	if err := b.readManifest(); err != nil {
		return nil, err
	}
	return b, nil
}

// commonFolder is the folder in which an archive has its manifest, as some programs
// pack it; empty when it is at the top, where the standard wants it.
func commonFolder(files []*zip.File) string {
	for _, f := range files {
		folder, name := path.Split(slashed(f.Name))
		if strings.EqualFold(name, "manifest.csv") && strings.Count(folder, "/") == 1 && folder != "__MACOSX/" {
			return folder
		}
	}
	return ""
}

func slashed(name string) string { return strings.ReplaceAll(name, `\`, "/") }

// openFolder reads the manifest of a folder. Through root, no link leads out of it.
func openFolder(root *os.Root) (*Bundle, error) {
	b := &Bundle{files: map[string]packed{}, close: root.Close}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, err
	}
	if len(entries) > MaxFiles {
		return nil, errTooManyFiles()
	}
	unpacked := int64(0)
	for _, e := range entries {
		if !strings.HasSuffix(strings.ToLower(e.Name()), ".csv") {
			continue
		}
		info, err := root.Stat(e.Name())
		if err != nil || !info.Mode().IsRegular() {
			return nil, lms.Invalid("oneroster-archive", "file", "%q is no file of this folder. Put the exported files themselves there.", lms.Clip(e.Name(), 60)).Because(err)
		}
		if unpacked += info.Size(); unpacked > MaxUnpacked {
			return nil, errTooLarge()
		}
		if err := b.add(e.Name(), packed{func() (io.ReadCloser, error) { return root.Open(e.Name()) }}); err != nil {
			return nil, err
		}
	}
	if err := b.readManifest(); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Bundle) add(name string, f packed) error {
	key := strings.ToLower(name)
	if _, twice := b.files[key]; twice {
		return lms.Invalid("oneroster-archive", name, "There are two files %q. Remove one of them.", lms.Clip(name, 60))
	}
	b.files[key] = f
	return nil
}

func errTooManyFiles() error {
	return lms.Invalid("oneroster-limit", "file", "This holds more than %d files, and is no export of a student system.", MaxFiles)
}

func errTooLarge() error {
	return lms.Invalid("oneroster-limit", "file", "Unpacked, this has more than %d MB. Export less at once, such as one school.", MaxUnpacked>>20)
}

// Close frees what reading took.
func (b *Bundle) Close() error { return b.close() }

// Mode tells what a table holds.
func (b *Bundle) Mode(f File) Mode {
	if m, ok := b.Manifest.Modes[f]; ok {
		return m
	}
	return Absent
}
