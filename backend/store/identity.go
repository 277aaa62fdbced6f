package store

import (
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// format is the number of the layout this version writes. It rises when an
// older version could not read what a newer one wrote.
const format = 1

const (
	identityFile = "STORE.json"
	manifestFile = "MANIFEST"
	manifestCopy = "MANIFEST.copy"
)

// identity says which store this is. It stands beside the database as
// STORE.json and in it under m/store: when the two differ, or one is missing,
// somebody lost a part of the history.
type identity struct {
	Format    int       `json:"format"`
	Store     string    `json:"store"` // 32 hexadecimal digits, made once
	Feed      string    `json:"feed"`  // the name in every cursor
	App       string    `json:"app"`   // version that wrote last
	CreatedAt time.Time `json:"created_at"`
	// Initialized is true once the database holds the identity too.
	Initialized bool `json:"initialized"`
	// Clean is the SHA-256 of the database's MANIFEST after an orderly end; ""
	// while the store is open, and so after a crash.
	Clean string `json:"clean"`
}

func newIdentity(o Options) (identity, error) {
	var b [24]byte
	if _, err := io.ReadFull(o.Rand, b[:]); err != nil {
		return identity{}, fmt.Errorf("random bits for a store: %w", err)
	}
	name := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[16:])
	return identity{
		Format: format, Store: hex.EncodeToString(b[:16]), Feed: strings.ToLower(name),
		App: appVersion(), CreatedAt: o.Clock().UTC().Truncate(time.Millisecond),
	}, nil
}

func appVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}

// readIdentity reads STORE.json; it is the zero identity for a new directory.
func readIdentity(dir string) (identity, error) {
	b, err := os.ReadFile(filepath.Join(dir, identityFile))
	if errors.Is(err, os.ErrNotExist) {
		if tables, _ := filepath.Glob(filepath.Join(dir, "db", "*.sst")); len(tables) > 0 {
			return identity{}, &DamagedError{Dir: dir, What: "STORE.json is missing beside a database"}
		}
		return identity{}, nil
	}
	if err != nil {
		return identity{}, unusable(dir, err)
	}
	var id identity
	if err := json.Unmarshal(b, &id); err != nil {
		return identity{}, &DamagedError{Dir: dir, What: "STORE.json cannot be read", Err: err}
	}
	if id.Format > format {
		return identity{}, &NewerFormatError{Dir: dir, Have: id.Format, Know: format, App: id.App}
	}
	if id.Format < 1 || id.Store == "" {
		return identity{}, &DamagedError{Dir: dir, What: "STORE.json says nothing"}
	}
	id.App = appVersion()
	return id, nil
}

func (id identity) write(dir string) error {
	b, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, identityFile), append(b, '\n'))
}

// markClean notes an orderly end.
func (id identity) markClean(dir string) error {
	sum, err := fingerprintFile(filepath.Join(dir, "db", manifestFile))
	if err != nil {
		return err
	}
	id.Clean = sum
	return id.write(dir)
}

// checkManifest refuses a database whose table of contents is not the one that
// was left. Badger itself would open it as an empty store and delete every
// table that is not listed.
func checkManifest(dir string, id identity) error {
	path := filepath.Join(dir, "db", manifestFile)
	damaged := func(what string, err error) error { return &DamagedError{Dir: dir, What: what, Err: err} }
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		tables, _ := filepath.Glob(filepath.Join(dir, "db", "*.sst"))
		if id.Initialized || len(tables) > 0 {
			return damaged("the database's MANIFEST is missing", nil)
		}
		return nil
	}
	if err != nil {
		return unusable(dir, err)
	}
	defer f.Close()
	if err := readTableSums(dir, id).checkTails(dir); err != nil {
		return damaged("a part of the database is cut or overwritten", err)
	}
	if id.Clean != "" {
		sum, err := fingerprintFile(path)
		if err != nil {
			return unusable(dir, err)
		}
		if sum != id.Clean {
			return damaged("the database's MANIFEST is not the one that was left at the last orderly end", nil)
		}
		return nil
	}
	m, whole, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions(""))
	if err != nil {
		return damaged("the database's MANIFEST cannot be read", err)
	}
	if st, err := f.Stat(); err != nil || st.Size() != whole {
		return damaged("the database's MANIFEST is cut off", err)
	}
	for fid := range m.Tables {
		if _, err := os.Stat(filepath.Join(dir, "db", fmt.Sprintf("%06d.sst", fid))); err != nil {
			return damaged(fmt.Sprintf("table %06d.sst is missing", fid), nil)
		}
	}
	return nil
}

// copyManifest keeps the MANIFEST of a good start, for those who must repair.
func copyManifest(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, "db", manifestFile))
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, manifestCopy), b)
}

// writeFile replaces a file so that a crash leaves the old or the new one.
func writeFile(path string, b []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return syncDir(filepath.Dir(path))
}

// storedIdentity reads m/store; nil when the database has none.
func (s *Store) storedIdentity() (*identity, error) {
	var id *identity
	err := s.view(func(txn *badger.Txn) error {
		item, err := txn.Get([]byte(keyStore))
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		id = &identity{}
		return item.Value(func(b []byte) error { return json.Unmarshal(b, id) })
	})
	return id, err
}

// storeIdentity makes a new database ours: identity and counters at once.
func (s *Store) storeIdentity() error {
	id, err := json.Marshal(s.identity)
	if err != nil {
		return err
	}
	st, err := state{Oldest: 1}.encode()
	if err != nil {
		return err
	}
	return s.db.Update(func(txn *badger.Txn) error {
		return errors.Join(txn.Set([]byte(keyStore), id), txn.Set([]byte(keyState), st))
	})
}
