package sqlite

import (
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// linked is the SQLite in this binary, as SQLite writes a version: 3.54.1 is 3054001.
const linked = sqlite3.SQLITE_VERSION_NUMBER

// soundest is the first SQLite that resets its write-ahead log without ever leaving pages of it out of the database: before
// 3.51.3 a checkpoint beside a writer could corrupt the file (https://sqlite.org/wal.html#walresetbug).
const soundest = 3_051_003

// sound refuses a SQLite that is known to lose what it has acknowledged.
func sound(version int) error {
	if version < soundest {
		return fmt.Errorf("this binary has SQLite %s, which can corrupt a write-ahead log when it is reset; %s is the first that does not",
			spelt(version), spelt(soundest))
	}
	return nil
}

// spelt is a version as people write it.
func spelt(version int) string {
	return fmt.Sprintf("%d.%d.%d", version/1_000_000, version/1000%1000, version%1000)
}
