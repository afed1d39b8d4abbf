// Package sqlite keeps a ledger in one SQLite file, for a service that runs alone.
//
// It promises that what a method answered is on the disk (write-ahead log, synchronous FULL), that a reader sees every
// write that has returned, that writes of many callers share one commit without sharing one another's failures, and that
// the store works again by itself once a full or failing disk does. It refuses a second process on the same file, a SQLite
// that is known to corrupt its log, and a file that something else made.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gofrs/flock"

	"github.com/portin/portin/internal/ledger"
)

// Config says where a ledger is and whose orders it keeps.
type Config struct {
	// Path is the file; it is made when it is not there (with mode 0600, its folder must exist). A file beside it with
	// ".lock" at the end of its name keeps other processes away; it stays there and means nothing by itself.
	Path string
	// Carrier is what identifies the carrier that the orders go to (its base URL); a ledger remembers it and refuses another.
	Carrier string
}

// Store keeps orders in one file. Build it with Open.
type Store struct {
	id     string
	lock   *flock.Flock
	writer *writer
	reader *reader
	// few is up to how many orders, changed in a range of time, a list sorts rather than merges.
	few int

	closing sync.Once
	failed  error
}

var _ ledger.Store = (*Store)(nil)

// Open opens the ledger, makes it where there is none, and brings it to the shape that this binary knows. A ledger that a
// newer binary has brought further opens too: what migrations add, an older binary can do without.
//
// ledger.ErrInUse says that another store, of this process or another, has the file; ledger.ErrOtherCarrier that it belongs
// to another carrier. The context bounds the opening alone.
func Open(ctx context.Context, c Config) (*Store, error) {
	if err := sound(linked); err != nil {
		return nil, err
	}
	path, err := prepare(c.Path)
	if err != nil {
		return nil, err
	}
	lock, err := seize(path)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, path, c.Carrier)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the ledger %s: %w", path, err), lock.Unlock())
	}
	s.lock = lock
	return s, nil
}

// open opens a file that nobody else has.
func open(ctx context.Context, path, carrier string) (*Store, error) {
	if err := create(path); err != nil {
		return nil, err
	}
	marked, err := recognize(ctx, path)
	if err != nil {
		return nil, err
	}
	write, err := connect(path, writing)
	if err != nil {
		return nil, err
	}
	id, err := establish(ctx, write, marked, carrier)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read, err := connect(path, reading)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	w := startWriter(context.WithoutCancel(ctx), write)
	return &Store{id: id, writer: w, reader: newReader(read, readers()), few: few}, nil
}

// ID is the ledger's own identity, a UUID that it got when it was made.
func (s *Store) ID() string { return s.id }

// Exclusive is true: nobody else can have the file open.
func (s *Store) Exclusive() bool { return true }

// Check writes something and reports whether that could be kept.
func (s *Store) Check(ctx context.Context) error {
	err := s.writer.write(ctx, func(ctx context.Context, t *transaction) error {
		_, err := t.exec(ctx, `UPDATE ledger SET probe = probe + 1 WHERE one = 1`)
		return err
	})
	return doing("write to the ledger", err)
}

// Close carries out the writes that have begun, lets reads end, and gives the file back. Whatever is asked of the store from
// now on fails with ledger.ErrClosed, but Close itself, which says again what it said first.
func (s *Store) Close() error {
	s.closing.Do(func() {
		// Readers first: the last connection to a file folds the log into it, and readers may not write.
		s.failed = errors.Join(s.writer.stop(), s.reader.close(), s.writer.close(), s.lock.Unlock())
	})
	return s.failed
}

// doing says what was being done when something failed; the contract's own words pass as they are.
func doing(what string, err error) error {
	if err == nil || errors.Is(err, ledger.ErrNotFound) || errors.Is(err, ledger.ErrMoved) || errors.Is(err, ledger.ErrTicketTaken) ||
		errors.Is(err, ledger.ErrNotCorrectable) || errors.Is(err, ledger.ErrClosed) {
		return err
	}
	if _, held := errors.AsType[*ledger.HeldError](err); held {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}
