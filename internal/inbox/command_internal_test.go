package inbox

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/testneed"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
)

// bodies are hard on a shell that looks into them.
func bodies() map[string]string {
	hard := "'\"'\"' \\' \\\\n %s %d %% $HOME ${HOME} $(touch ran) `touch ran` !! !x # ; & | > out < in * ? ~ {a,b} \\"
	title, _ := json.Marshal(hard + "\n\t <script>é 漢字 🎮\u2028\u202e")
	return map[string]string{
		"plain":           `{"id":"1"}`,
		"quotes":          `{"title":"it's 'quoted' and \"double\""}`,
		"a shell's own":   hard,
		"as JSON":         `{"title":` + string(title) + `}`,
		"lines":           "{\n  \"a\": 1\n}\n\n",
		"carriage return": "a\r\nb\r",
		"only a quote":    "'",
		"quotes at ends":  "'a'",
		"empty":           "",
		"a flag":          "-n",
		"here-document":   "EOF\nEOF\n",
		"long":            strings.Repeat("x'$", 30000),
		"control":         "\x01\x1b[31m\x7f\u0085",
	}
}

var testSecret = webhook.NewSecrets(vault.New([vault.KeySize]byte{7})).Inbox()

func signedHeaders(t *testing.T, body string) []header {
	t.Helper()
	h, err := sign(pay.Event{ID: "01978c2e-0000-7000-8000-000000000001", Payload: []byte(body)}, testSecret, time.Unix(1780000000, 0))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func shells(t *testing.T) (found []string) {
	for _, name := range []string{"sh", "dash", "bash", "zsh", "busybox"} {
		if _, err := exec.LookPath(name); err == nil {
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		testneed.Program(t, "sh")
	}
	return found
}

// typed runs a command as a shell reads it from whoever types it.
func typed(t *testing.T, shell, command, dir string) (said string, ok bool) {
	t.Helper()
	c := exec.Command(shell)
	if shell == "busybox" {
		c.Args = append(c.Args, "sh")
	}
	c.Dir, c.Stdin = dir, strings.NewReader(command+"\n")
	out, err := c.CombinedOutput()
	if _, ended := err.(*exec.ExitError); err != nil && !ended {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%s: something in the body was run: %v", shell, left)
	}
	return string(out), err == nil
}

func TestTheCommandOfOpenSSLSeesWhetherABodyIsWhatWasSigned(t *testing.T) {
	testneed.Program(t, "openssl")
	for name, body := range bodies() {
		headers := signedHeaders(t, body)
		wrong := body + "x"
		if body != "" {
			changed := []byte(body)
			changed[len(changed)/2] ^= 1 // printable or not, it is another byte
			if c := changed[len(changed)/2]; c == 0 || c == '\'' || c >= 0x80 {
				changed[len(changed)/2] = '~'
			}
			wrong = string(changed)
		}
		for _, shell := range shells(t) {
			if said, ok := typed(t, shell, openSSL([]byte(body), testSecret, headers), t.TempDir()); !ok || said != "The signature is right.\n" {
				t.Errorf("%s, %s: %v %s", name, shell, ok, said)
			}
			if said, ok := typed(t, shell, openSSL([]byte(wrong), testSecret, headers), t.TempDir()); ok || said != "The signature is wrong.\n" {
				t.Errorf("%s with a byte changed, %s: %v %s", name, shell, ok, said)
			}
		}
	}
}

// A program in the place of coinslot writes down what it is given.
func TestTheOwnCommandHandsOverTheBytesAndTheHeaders(t *testing.T) {
	elsewhere := t.TempDir()
	program := filepath.Join(elsewhere, "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\ncat > "+elsewhere+"/body\nprintf '%s\\n' \"$@\" > "+elsewhere+"/args\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, body := range bodies() {
		headers := signedHeaders(t, body)
		for _, shell := range shells(t) {
			if said, ok := typed(t, shell, ownCommand(program, []byte(body), testSecret, headers), t.TempDir()); !ok {
				t.Errorf("%s, %s: %s", name, shell, said)
			}
			if got, _ := os.ReadFile(elsewhere + "/body"); !bytes.Equal(got, []byte(body)) {
				t.Errorf("%s, %s: the program got %q", name, shell, got)
			}
			args, _ := os.ReadFile(elsewhere + "/args")
			for _, h := range []string{"webhook-id", "webhook-timestamp", "webhook-signature", "X-ToffeePay-Signature"} {
				if !strings.Contains(string(args), "--header\n"+h+": "+value(headers, h)+"\n") || value(headers, h) == "" {
					t.Errorf("%s, %s: %s is not among %s", name, shell, h, args)
				}
			}
		}
	}
}
