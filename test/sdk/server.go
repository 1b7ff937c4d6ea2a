// Package sdk runs the clients in sdk/ against the server as it is built. Each of them
// has tests of its own, which start the program that COINSLOT_BINARY names; here it is
// built once for all of them.
package sdk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// BinaryVariable names the program that the tests of a client start.
const BinaryVariable = "COINSLOT_BINARY"

// Build builds coinslot into dir and returns its path, or that of the one that
// COINSLOT_BINARY names already. repository is where the tree begins.
func Build(repository, dir string) (string, error) {
	if path := os.Getenv(BinaryVariable); path != "" {
		return path, nil
	}
	path := filepath.Join(dir, "coinslot")
	build := exec.Command("go", "build", "-o", path, "./cmd/coinslot")
	build.Dir = repository
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

// Server is a running sandbox on a port and a data directory of its own. It has the game
// space_shooter.
type Server struct {
	URL string
	Key string // covers space_shooter

	Data string // the data directory

	binary  string
	process *exec.Cmd
	log     *bytes.Buffer
}

// Start runs binary until Stop. Everything it keeps is in dir.
func Start(binary, dir string) (*Server, error) {
	s := &Server{binary: binary, Data: filepath.Join(dir, "data"), log: &bytes.Buffer{}}
	s.process = s.command("serve", "--addr", "127.0.0.1:0", "--quiet-start")
	s.process.Stderr = s.log
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	var ready struct {
		URL        string `json:"url"`
		SandboxKey string `json:"sandbox_key"`
	}
	line, _ := bufio.NewReader(out).ReadBytes('\n') // without an end: the server ended
	if err := json.Unmarshal(line, &ready); err != nil {
		_ = s.process.Process.Kill()
		return nil, fmt.Errorf("coinslot serve did not start: %w\n%s", errors.Join(err, s.process.Wait()), s.log)
	}
	s.URL, s.Key = ready.URL, ready.SandboxKey
	return s, nil
}

// Stop ends the server. It reports a server that did not end well.
func (s *Server) Stop() error {
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := s.process.Wait(); err != nil {
		return fmt.Errorf("coinslot serve: %w\n%s", err, s.log)
	}
	return nil
}

// Run runs a command of the operator, such as "sandbox", "pay", id, and returns what it
// prints.
func (s *Server) Run(args ...string) (string, error) {
	command := s.command(args...)
	var refused strings.Builder
	command.Stderr = &refused
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("coinslot %s: %w\n%s", strings.Join(args, " "), err, refused.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// command has none of the variables that could lead it to another server.
func (s *Server) command(args ...string) *exec.Cmd {
	c := exec.Command(s.binary, args...)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "COINSLOT_") {
			c.Env = append(c.Env, variable)
		}
	}
	c.Env = append(c.Env, "COINSLOT_DATA="+s.Data)
	return c
}

// LookAt looks at every file that a test needs outside of Go's sight, since go test
// repeats an old result while nothing has changed that the test has looked at. The paths
// are those of the repository.
func LookAt(repository string, paths ...string) error {
	for _, path := range paths {
		err := filepath.WalkDir(filepath.Join(repository, path), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if made := []string{"node_modules", "dist", "build"}; d.IsDir() && slices.Contains(made, d.Name()) {
				return fs.SkipDir
			}
			_, err = os.Stat(path)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
