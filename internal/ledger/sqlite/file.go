package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/portin/portin/internal/ledger"
)

// prepare is the whole path of a ledger's file, once it is clear that a ledger could be there. It opens nothing: closing a
// database's file by hand would take SQLite's own locks away.
func prepare(path string) (string, error) {
	if path == "" {
		return "", errors.New("a ledger needs the path of its file")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("the ledger's path: %w", err)
	}
	folder, err := os.Stat(filepath.Dir(path))
	switch {
	case err != nil:
		return "", fmt.Errorf("the folder of the ledger %s: %w", path, err)
	case !folder.IsDir():
		return "", fmt.Errorf("the folder of the ledger %s is no folder", path)
	}
	file, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, nil
	case err != nil:
		return "", fmt.Errorf("the ledger %s: %w", path, err)
	case !file.Mode().IsRegular():
		return "", fmt.Errorf("the ledger %s is no file but %s", path, file.Mode().Type())
	case file.Mode().Perm()&0o200 == 0:
		return "", fmt.Errorf("the ledger %s is read-only (mode %s): its owner has to be able to write to it", path, file.Mode())
	}
	// The lock stands beside the file itself, by whatever link somebody comes to it.
	path, err = filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("the ledger %s: %w", path, err)
	}
	return path, nil
}

// seize keeps every other store away from the file, until the lock is given back or the process is gone, however it went.
func seize(path string) (*flock.Flock, error) {
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the ledger %s: %w", path, err)
	}
	if !got {
		return nil, fmt.Errorf("the ledger %s: %w; one SQLite file serves one process", path, ledger.ErrInUse)
	}
	return lock, nil
}

// create makes the file where there is none, for its owner's eyes only; SQLite gives its log the same mode. The folder is
// written to the disk as well: a file that no folder names is gone after a power cut, with everything that was synced into it.
func create(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
