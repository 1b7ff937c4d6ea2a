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

func (d dataDir) writeRunning(r running) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write down where the server runs: %w", err)
	}
	return d.write(d.runningFile(), append(text, '\n'))
}

func (d dataDir) readRunning() (r running, err error) {
	text, err := os.ReadFile(d.runningFile())
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(text, &r)
}

func (d dataDir) removeRunning() error { return os.Remove(d.runningFile()) }

// write replaces a file as a whole, so that nobody ever reads half of it.
func (d dataDir) write(path string, content []byte) error {
	draft := path + ".new"
	err := os.WriteFile(draft, content, ownersFile)
	if err == nil {
		err = os.Rename(draft, path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
