package sqlite

import (
	"database/sql"
	"errors"
	"net/url"
	"runtime"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// use is what connections are for.
type use uint8

const (
	writing use = iota + 1
	reading
)

// connect makes the pool of connections for one use; it opens none yet. There is one connection that writes. Those that
// read cannot write: the file is opened read-only for them.
//
// What is deleted or overwritten is overwritten with zeros (secure_delete), also between the records of a page: an order that is
// erased was changed several times before, and each time left a copy behind otherwise.
//
// The file is not mapped into memory: a disk that fails would end the process there instead of a read. What is read often
// stays in the system's cache.
func connect(path string, u use) (*sql.DB, error) {
	settings := url.Values{
		"_pragma":    {"busy_timeout(5000)", "foreign_keys(1)", "trusted_schema(0)", "mmap_size(0)", "temp_store(2)"},
		"_defensive": {"1"}, // No SQL can harm the file itself.
		"_dqs":       {"0"}, // A misspelt column is an error and no text.
		"_error_rc":  {"1"}, // Errors say what happened, and not what happened before.
	}
	if u == writing {
		settings.Set("mode", "rw")
		settings["_pragma"] = append(settings["_pragma"],
			"journal_mode(WAL)", "synchronous(FULL)", "cache_size(-16384)", "wal_autocheckpoint(4000)", "journal_size_limit(67108864)", "secure_delete(1)")
	} else {
		settings.Set("mode", "ro")
		settings["_pragma"] = append(settings["_pragma"], "cache_size(-4096)")
	}
	connector, err := sqlite.NewConnector((&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: settings.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	connections := 1
	if u == reading {
		connections = readers()
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// readers is how many connections read at once. What they read is mostly in memory, so that cores are what they share; four
// on a small machine, so that one long page keeps nobody waiting.
func readers() int { return max(4, runtime.GOMAXPROCS(0)) }

// foreign reports whether an error says that the file is no database.
func foreign(err error) bool { return code(err)&0xff == sqlite3.SQLITE_NOTADB }

// code is the extended result code of SQLite in an error; 0 when there is none.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}
