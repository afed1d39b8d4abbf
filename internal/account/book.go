package account

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/handfile"
	"github.com/portin/portin/internal/strictyaml"
)

// book is what the files say. It is never changed once it is read.
type book struct {
	logins map[string]login
	// tenants are the accounts of those that are named, and others that of everybody else; empty is none.
	tenants map[string]string
	others  string
}

// login is an account's credentials. fmt shows of the password where it lies: it cannot ask a field like this one how it wants
// to be printed.
type login struct {
	username string
	password *carrier.Secret
}

func (l login) same(as login) bool { return l.username == as.username && *l.password == *as.password }

const (
	// What files may have. The bounds are there for a file that is not one.
	maxFile     = 1 << 20
	maxPassword = 4 << 10
	maxAccounts = 1000
	maxTenants  = 1000

	// anyTenant stands for the tenants that no account names.
	anyTenant = "*"
)

var nameForm = regexp.MustCompile(`^[a-z0-9._-]{1,64}$`)

const nameRule = "must be 1 to 64 of a-z, 0-9, dot, underscore and hyphen"

// read reads the files, and returns with what they say, or what is wrong with that, the digest of what they hold.
func (p Params) read() (*book, handfile.Sum, error) {
	files := &files{}
	b, err := p.readWith(files)
	return b, files.sum(), err
}

func (p Params) readWith(files *files) (*book, error) {
	if p.File == "" {
		password := p.Password
		if p.PasswordFile != "" {
			var err error
			if password, err = files.password(p.PasswordFile); err != nil {
				return nil, fmt.Errorf("the carrier's password: %w", err)
			}
		}
		if err := carrier.CheckLogin(p.Username, password); err != nil {
			return nil, err
		}
		return &book{logins: map[string]login{Default: {p.Username, &password}}, others: Default}, nil
	}
	content, err := files.content(p.File, maxFile)
	if err != nil {
		return nil, fmt.Errorf("reading the carrier accounts: %w", err)
	}
	b, err := parse(content, p.Adopted, func(name string) (carrier.Secret, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(p.File), name)
		}
		return files.password(name)
	})
	if err != nil {
		return nil, fmt.Errorf("the carrier accounts cannot be used: %w", err)
	}
	return b, nil
}

// files reads files and remembers what they held.
type files struct{ held []byte }

func (f *files) sum() handfile.Sum { return sha256.Sum256(f.held) }

func (f *files) content(name string, most int64) (content []byte, err error) {
	defer func() {
		sum := sha256.Sum256(content)
		if err != nil {
			sum = sha256.Sum256([]byte(err.Error()))
		}
		f.held = append(f.held, sum[:]...)
	}()
	content, err = handfile.Read(name, most)
	return content, unquoted(err)
}

// unquoted is the error of a file without its name, in whose place somebody may have written a password.
func unquoted(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

// password is what stands in a file. A line break at its end is not part of it.
func (f *files) password(name string) (carrier.Secret, error) {
	content, err := f.content(name, maxPassword)
	if err != nil {
		return "", err
	}
	password := strings.TrimRight(string(content), "\r\n")
	if password == "" {
		return "", errors.New("the file is empty")
	}
	return carrier.Secret(password), nil
}

// reading is a book that is being read, and where what must be there once stands.
type reading struct {
	strictyaml.Problems

	book      *book
	adopted   string
	password  func(file string) (carrier.Secret, error)
	usernames map[string]string
	// places are where tenants stand, as the file calls them.
	places map[string]string
}

// parse reads the file of several accounts. The error tells all problems, each with its place, and quotes nothing.
func parse(content []byte, adopted string, password func(file string) (carrier.Secret, error)) (*book, error) {
	top, err := strictyaml.Document(content)
	if err != nil {
		return nil, err
	}
	r := &reading{
		book:    &book{logins: map[string]login{}, tenants: map[string]string{}},
		adopted: adopted, password: password, usernames: map[string]string{}, places: map[string]string{},
	}
	if fields := r.Fields(top, "", "accounts"); fields != nil {
		for _, e := range r.Some(top, fields["accounts"], "accounts", maxAccounts) {
			r.readAccount(e)
		}
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return r.book, nil
}

func (r *reading) readAccount(e strictyaml.Entry) {
	fields := r.Fields(e, e.Place+".", "name", "username", "password_file", "tenants")
	if fields == nil {
		return
	}
	name, ok := r.Required(e, fields["name"], "name")
	_, twice := r.book.logins[name]
	switch {
	case !ok:
	case !nameForm.MatchString(name):
		r.Add(fields["name"], nameRule)
	case twice:
		r.Add(fields["name"], "is there twice")
	}
	r.book.logins[name] = r.readLogin(e, fields["username"], fields["password_file"])
	for _, e := range r.List(fields["tenants"], maxTenants) {
		r.readTenant(e, name)
	}
}

func (r *reading) readLogin(of, user, file strictyaml.Entry) (l login) {
	username, ok := r.Required(of, user, "username")
	if ok {
		if first, twice := r.usernames[username]; twice {
			r.Add(user, "is the same as "+first+"; an account has one name here, or its tickets would be taken for those of two")
		}
		r.usernames[username] = user.Place
	}
	name, named := r.Required(of, file, "password_file")
	if !named {
		return login{}
	}
	password, err := r.password(name)
	if err != nil {
		r.Add(file, err.Error())
		return login{}
	}
	if ok {
		if err := carrier.CheckLogin(username, password); err != nil {
			r.Add(of, err.Error())
		}
	}
	return login{username, &password}
}

func (r *reading) readTenant(e strictyaml.Entry, account string) {
	tenant, ok := r.Text(e)
	if !ok {
		return
	}
	if first, twice := r.places[tenant]; twice {
		r.Add(e, "is the same as "+first+"; a tenant has one account")
		return
	}
	r.places[tenant] = e.Place
	switch {
	case tenant == anyTenant:
		r.book.others = account
	case !nameForm.MatchString(tenant):
		r.Add(e, nameRule+`, or "*" for all that no account names`)
	case tenant == r.adopted:
		r.book.tenants[Default] = account
	case tenant == Default && r.adopted != "":
		r.Add(e, "is what the ledger calls the tenant that adopted what was there before there were tenants; write that one's name")
	default:
		r.book.tenants[tenant] = account
	}
}
