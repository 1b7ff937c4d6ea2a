package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// dataDir is the directory of everything that is kept. All in it is its owner's alone.
type dataDir string

const (
	ownersDir  = 0o700
	ownersFile = 0o600

	othersWrite = 0o022
	othersRead  = 0o044
)

func (d dataDir) path(name string) string { return filepath.Join(string(d), name) }

func (d dataDir) vaultFile() string   { return d.path("secret.key") }
func (d dataDir) ledgerFile() string  { return d.path("sandbox.db") }
func (d dataDir) tokenFile() string   { return d.path("admin.token") }
func (d dataDir) runningFile() string { return d.path("server.json") }

// make makes the directory, and those above it, where they are not there yet.
func (d dataDir) make() error {
	if err := os.MkdirAll(string(d), ownersDir); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	info, err := os.Stat(string(d))
	if err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	if info.Mode().Perm()&othersWrite != 0 {
		return fmt.Errorf("the data directory %s must be writable by its owner alone: chmod go-w it", absolute(string(d)))
	}
	return nil
}

// token is what opens the admin API. It is made once and stays the same.
func (d dataDir) token() (string, error) {
	token, err := d.readToken()
	if !errors.Is(err, fs.ErrNotExist) {
		return token, err
	}
	token = tokenPrefix + rand.Text()
	return token, d.write(d.tokenFile(), []byte(token+"\n"))
}

// tokenPrefix tells people and secret scanners what the text is.
const tokenPrefix = "coinslot_admin_"

func (d dataDir) readToken() (string, error) {
	info, err := os.Lstat(d.tokenFile())
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&(othersRead|othersWrite) != 0 {
		return "", fmt.Errorf("%s must be a file of its owner's alone: chmod 600 it, or remove it and the next start makes a new one", d.tokenFile())
	}
	text, err := os.ReadFile(d.tokenFile())
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if !strings.HasPrefix(token, tokenPrefix) || token == tokenPrefix {
		return "", fmt.Errorf("%s must hold the admin token, %s…; remove the file, and the next start makes a new one", d.tokenFile(), tokenPrefix)
	}
	return token, nil
}

// running is what a server that runs tells commands on the same machine.
type running struct {
	URL         string `json:"url"`
	Certificate string `json:"certificate,omitempty"` // its SHA-256 in hex, where TLS is on
	PID         int    `json:"pid"`
}

// announce writes down where the server runs, until the returned file is closed or
// the process ends. The lock on it tells a server that runs from one that was
// killed: whoever has its port then must not be shown the token.
func (d dataDir) announce(r running) (*os.File, error) {
	if other, err := d.readRunning(); err == nil {
		return nil, fmt.Errorf("a server runs on %s already, process %d: give each its own --data", d, other.PID)
	}
	text, err := json.Marshal(r)
	if err == nil {
		err = d.write(d.runningFile(), append(text, '\n'))
	}
	if err != nil {
		return nil, fmt.Errorf("write down where the server runs: %w", err)
	}
	f, err := os.Open(d.runningFile())
	if err == nil {
		err = hold(f)
	}
	return f, err
}

// errNotRunning: what server.json tells of has ended.
var errNotRunning = errors.New("the server has ended")

func (d dataDir) readRunning() (r running, err error) {
	f, err := os.Open(d.runningFile())
	if err != nil {
		return r, err
	}
	defer f.Close()
	if !held(f) {
		return r, errNotRunning
	}
	return r, json.NewDecoder(f).Decode(&r)
}

func (d dataDir) removeRunning() error { return os.Remove(d.runningFile()) }

// write replaces a file as a whole, so that nobody ever reads half of it.
func (d dataDir) write(path string, content []byte) error {
	draft, err := os.CreateTemp(string(d), filepath.Base(path)+".*") // its owner's alone
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = draft.Write(content)
	err = errors.Join(err, draft.Sync(), draft.Close())
	if err == nil {
		err = os.Rename(draft.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(draft.Name()))
	}
	return nil
}
