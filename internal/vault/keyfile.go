package vault

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// keyText begins the one line of a key file. It tells people and secret scanners
// what the file is.
const keyText = "coinslot-master-key-1:"

// Open loads the master key from the file at path, or makes a random one where
// there is none. The folder must exist.
//
// Without this file the sealed parts of the database are lost, so a backup of the
// database needs it too, best kept elsewhere.
func Open(path string) (*Vault, error) {
	key, err := load(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("make master key: %w", err)
		}
		key, err = load(path)
	}
	if err != nil {
		return nil, fmt.Errorf("load master key: %w", err)
	}
	return New(key), nil
}

// load never quotes the file in an error: what is not quite a key may still be most of one.
func load(path string) (key [KeySize]byte, err error) {
	info, err := os.Lstat(path)
	if err != nil {
		return key, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return key, fmt.Errorf("%s must be a file that its owner alone can read: chmod 600 it", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return key, err
	}
	key, ok := parse(string(text))
	if !ok {
		return key, fmt.Errorf("%s must hold %q and %d bytes in base64", path, keyText, KeySize)
	}
	return key, nil
}

// Parse takes the text of a key file. Servers that share a database share the key.
func Parse(text string) (*Vault, error) {
	key, ok := parse(text)
	if !ok {
		return nil, fmt.Errorf("must be %q and %d bytes in base64, as in a key file", keyText, KeySize)
	}
	return New(key), nil
}

func parse(text string) (key [KeySize]byte, ok bool) {
	encoded, ok := strings.CutPrefix(strings.TrimSpace(text), keyText)
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(raw) != KeySize {
		return key, false
	}
	return [KeySize]byte(raw), true
}

// create puts a whole and durable file at path, readable by its owner alone, and
// leaves one that is there already: a link, unlike a rename, replaces nothing, so
// two processes that start at once end up with the same key.
func create(path string) error {
	dir := filepath.Dir(path)
	draft, err := writeDraft(dir)
	if err != nil {
		return err
	}
	defer os.Remove(draft)
	if err := os.Link(draft, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

func writeDraft(dir string) (name string, err error) {
	f, err := os.CreateTemp(dir, ".master-key-*") // made with mode 0600
	if err != nil {
		return "", err
	}
	var key [KeySize]byte
	rand.Read(key[:]) // never fails
	_, err = f.WriteString(keyText + base64.StdEncoding.EncodeToString(key[:]) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(f.Name())
	}
	return f.Name(), err
}

// syncDir makes the file's name durable. Windows cannot, and need not, sync a folder.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
