package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

func TestE20FourNodesThatMigrateAtOnceMigrateOnce(t *testing.T) {
	t.Parallel()
	for round := range 2 {
		db := storetest.Empty(t, storetest.PostgreSQL)
		nodes := make([]*store.Store, 4)
		for i := range nodes {
			nodes[i] = db.OpenUnstarted(t)
		}
		errs := make([]error, len(nodes))
		together(len(nodes), func(i int) { errs[i] = nodes[i].Migrate(ctx) })
		if err := errors.Join(errs...); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		raw := db.SQL(t)
		if n := storetest.Query1[int](t, raw, `SELECT count(*) FROM goose_db_version WHERE version_id = $1`, store.SchemaVersion()); n != 1 {
			t.Errorf("the last migration ran %d times", n)
		}
		for i, node := range nodes {
			if err := addPerson(ctx, node, "grace@uni.example"); err != nil {
				t.Errorf("node %d: %v", i, err)
			}
		}
		if n := storetest.Query1[int](t, raw, `SELECT count(*) FROM users`); n != 2 {
			t.Errorf("%d users, want Matricula and one person", n)
		}
	}
}

func TestMigratingAgainChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		id := nameOne(t, db.Open(t), "grace@uni.example")
		changes := db.WatchChanges(t)
		if err := db.OpenUnstarted(t).Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		if got := changes(); len(got) != 0 {
			t.Errorf("the second migration wrote %v", got)
		}
		if u, ok, err := db.Open(t).Reader().User(ctx, id); !ok || err != nil || u.Email != "grace@uni.example" {
			t.Errorf("after it, the person is %+v (%v)", u, err)
		}
	})
}

func TestASchemaOfANewerProgramIsRefusedAndLeftAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		raw := db.SQL(t)
		const migrated = `SELECT count(*) FROM goose_db_version WHERE version_id > 0`
		ours := storetest.Query1[int](t, raw, migrated)
		storetest.Exec(t, raw, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)`)
		for name, do := range map[string]func(*store.Store) error{
			"migrate": func(s *store.Store) error { return s.Migrate(ctx) },
			"start":   func(s *store.Store) error { return s.Start(ctx) },
		} {
			err := do(db.OpenUnstarted(t))
			if err == nil || !strings.Contains(err.Error(), "schema version 99, newer than this program's") || !strings.Contains(err.Error(), "run the newer program") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := storetest.Query1[int](t, raw, migrated); n != ours+1 {
			t.Errorf("the table of versions has %d rows now, want %d", n, ours+1)
		}
	})
}

func TestStartingOnADatabaseThatNobodyMigratedSaysWhatToDo(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.PostgreSQL} {
		t.Run(engine, func(t *testing.T) {
			st := storetest.Empty(t, engine).OpenUnstarted(t)
			err := st.Start(ctx)
			if err == nil || !strings.Contains(err.Error(), `run "matricula migrate"`) {
				t.Errorf("start: %v", err)
			}
			if err := addPerson(ctx, st, "grace@uni.example"); err == nil {
				t.Error("it could be written all the same")
			}
			if err := st.Migrate(ctx); err != nil {
				t.Fatalf("migrate after it: %v", err)
			}
			if err := addPerson(ctx, st, "grace@uni.example"); err != nil {
				t.Errorf("write after it: %v", err)
			}
		})
	}
}

func TestAnOpenedDatabaseKeepsWhatItAcknowledges(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		problems, err := st.CheckDurability(ctx)
		if err != nil || len(problems) > 0 {
			t.Errorf("%q (%v)", problems, err)
		}
		if db.Engine == storetest.SQLite {
			return // the check has read the settings of the writer's connection
		}
		for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
			if got := storetest.Query1[string](t, st.WritePool(), `SHOW `+setting); got != "on" {
				t.Errorf("%s is %s", setting, got)
			}
		}
	})
}

func TestE04SettingsUnderWhichACrashLosesWritesAreReported(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		for pragma, want := range map[string]string{
			"synchronous = NORMAL":  "synchronous is 1, not 2",
			"synchronous = OFF":     "synchronous is 0, not 2",
			"journal_mode = DELETE": "journal_mode is delete, not wal",
			"journal_mode = MEMORY": "journal_mode is memory, not wal",
			"foreign_keys = OFF":    "foreign_keys is 0, not 1",
		} {
			st := storetest.New(t, storetest.SQLite).OpenUnstarted(t)
			storetest.Exec(t, st.WritePool(), "PRAGMA "+pragma)
			if err := st.Start(ctx); err != nil {
				t.Fatal(err)
			}
			problems, err := st.CheckDurability(ctx)
			if err != nil || len(problems) != 1 || !strings.HasPrefix(problems[0], want+",") {
				t.Errorf("after %s: %q (%v)", pragma, problems, err)
			}
		}
	})
	t.Run("postgres", func(t *testing.T) {
		db := storetest.New(t, storetest.PostgreSQL)
		for _, value := range []string{"off", "local"} {
			weak := storetest.Database{Engine: db.Engine, DSN: db.DSN + "&synchronous_commit=" + value}
			problems, err := weak.Open(t).CheckDurability(ctx)
			if err != nil || len(problems) != 1 || !strings.HasPrefix(problems[0], "synchronous_commit is "+value+", not on,") {
				t.Errorf("with synchronous_commit %s: %q (%v)", value, problems, err)
			}
		}
		if problems, err := db.Open(t).CheckDurability(ctx); err != nil || len(problems) > 0 {
			t.Errorf("without it: %q (%v)", problems, err)
		}
	})
}

func TestASQLiteDatabaseIsInWriteAheadModeWithFullSync(t *testing.T) {
	db := storetest.New(t, storetest.SQLite)
	st := db.OpenUnstarted(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		if got := storetest.Query1[string](t, st.WritePool(), "PRAGMA "+pragma); got != want {
			t.Errorf("the writer's %s is %s, want %s", pragma, got, want)
		}
	}
	if _, err := st.ReadPool().Exec(`DELETE FROM courses`); err == nil {
		t.Error("the readers can write")
	}
}

// TestAClosedDatabaseIsOneFile holds that nothing stays behind in a log beside
// the file: whoever copies the file of a stopped server has everything.
func TestAClosedDatabaseIsOneFile(t *testing.T) {
	db := storetest.New(t, storetest.SQLite)
	st, err := store.Open(ctx, db.DSN)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Start(ctx); err != nil {
		t.Fatal(err)
	}
	id := nameOne(t, st, "grace@uni.example")
	if _, ok, err := st.Reader().User(ctx, id); !ok || err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(db.DSN, "sqlite:")
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, []string{filepath.Base(path)}) {
		t.Errorf("left behind: %v", names)
	}
	if u, ok, err := db.Open(t).Reader().User(ctx, id); !ok || err != nil || u.ID != id {
		t.Errorf("opened again, she is gone (%v)", err)
	}
}

func TestADatabaseFileMayHaveAnyName(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"with space.db", "question?mark.db", "hash#tag.db", "percent%41.db", "ünïcode.db", "amp&=.db", "plus+.db"} {
		st, err := store.Open(ctx, "sqlite:"+filepath.Join(folder, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := errors.Join(st.Migrate(ctx), addPerson(ctx, st, "grace@uni.example"), st.Close()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s is not where it should be (%v)", name, err)
		}
	}
}

func TestOpeningSaysWhatIsWrongWithoutThePassword(t *testing.T) {
	for _, dsn := range []string{"", "sqlite:", "mysql://x", "postgres://user:secret@host:notaport/db", "postgres://user:secret@%zz/db"} {
		st, err := store.Open(ctx, dsn)
		if err == nil {
			st.Close()
			t.Errorf("%q was opened", dsn)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error holds the password: %v", dsn, err)
		}
	}
	missing := "sqlite:" + filepath.Join(t.TempDir(), "no", "such", "folder", "x.db")
	if st, err := store.Open(ctx, missing); err == nil {
		st.Close()
		t.Error("a file in a folder that does not exist was opened")
	}
}

func TestThePresetRolesOfEveryCourseFollowTheProgram(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id, before := course(t, st, "Algorithms")
		raw := db.SQL(t)
		// As an older version of the program, with fewer privileges, left it.
		storetest.Exec(t, raw, `UPDATE course_roles SET privileges = '["roster.view"]', name = 'Boss' WHERE key = 'owner'`)
		storetest.Exec(t, raw, `INSERT INTO course_roles (course_id, key, name, is_preset, privileges) VALUES ($1, 'tutor', 'Tutor', FALSE, '["roster.view"]')`, id)
		roles, err := db.Open(t).Reader().Roles(ctx, id)
		if err != nil || len(roles) != 6 {
			t.Fatalf("%v (%v)", roles, err)
		}
		if roles[0] != before["owner"] {
			t.Errorf("the owner is %+v, want %+v", roles[0], before["owner"])
		}
		if tutor := roles[5]; tutor.Name != "Tutor" || tutor.Privileges.Labels().String() != "See the roster" {
			t.Errorf("the course's own role became %+v", tutor)
		}
	})
}
