package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/vault"
)

// master is easy to recognize in whatever way it is printed.
var master = [vault.KeySize]byte([]byte("MASTERKEYMASTERKEYMASTERKEYMAST!"))

func TestSealOpens(t *testing.T) {
	v := vault.New(master)
	for _, plain := range []string{"", "x", "whsec_secret", strings.Repeat("long", 1000)} {
		sealed := v.Seal([]byte(plain), "endpoint we_1")
		got, err := vault.New(master).Open(sealed, "endpoint we_1")
		if err != nil || string(got) != plain {
			t.Errorf("Open(Seal(%.10q)) = %.10q, %v", plain, got, err)
		}
		if len(plain) > 1 && bytes.Contains(sealed, []byte(plain)) {
			t.Errorf("sealed text contains %.10q", plain)
		}
	}
}

func TestSealIsDifferentEachTime(t *testing.T) {
	v := vault.New(master)
	if bytes.Equal(v.Seal([]byte("x"), "c"), v.Seal([]byte("x"), "c")) {
		t.Error("two seals of the same text are equal")
	}
}

func TestOpenRefuses(t *testing.T) {
	v := vault.New(master)
	sealed := v.Seal([]byte("secret"), "endpoint we_1")
	if _, err := v.Open(sealed, "endpoint we_2"); !errors.Is(err, vault.ErrUnreadable) {
		t.Errorf("other context: error = %v", err)
	}
	if _, err := vault.New([vault.KeySize]byte{1}).Open(sealed, "endpoint we_1"); !errors.Is(err, vault.ErrUnreadable) {
		t.Errorf("other key: error = %v", err)
	}
	for i := range sealed {
		damaged := bytes.Clone(sealed)
		damaged[i] ^= 1
		if _, err := v.Open(damaged, "endpoint we_1"); !errors.Is(err, vault.ErrUnreadable) {
			t.Errorf("byte %d changed: error = %v", i, err)
		}
		if _, err := v.Open(sealed[:i], "endpoint we_1"); !errors.Is(err, vault.ErrUnreadable) {
			t.Errorf("cut to %d bytes: error = %v", i, err)
		}
	}
}

func TestDerive(t *testing.T) {
	v := vault.New(master)
	if v.Derive("page forms") != vault.New(master).Derive("page forms") {
		t.Error("the same purpose gives different keys")
	}
	if v.Derive("page forms") == v.Derive("cookies") {
		t.Error("two purposes give the same key")
	}
	if v.Derive("page forms") == vault.New([vault.KeySize]byte{1}).Derive("page forms") {
		t.Error("two master keys give the same key")
	}
	if v.Derive("") == master {
		t.Error("a derived key is the master key")
	}
}

// What is sealed and derived outlives the program, so neither may ever change.
func TestFormatIsStable(t *testing.T) {
	sealed, _ := hex.DecodeString("01c58773a247e47001948846e4f018f31d7eac2abe942b67d0d8dafb9ac2f194fca7")
	const derived = "5f63bfa3419401f3899f5ec8a56a20316f50add21eed424efc62fff6ae14f7cd"
	v := vault.New(master)
	if got, err := v.Open(sealed, "context"); err != nil || string(got) != "plain" {
		t.Errorf("Open of what an earlier release sealed = %q, %v", got, err)
	}
	key := v.Derive("test")
	if got := hex.EncodeToString(key[:]); got != derived {
		t.Errorf("Derive(test) = %s, want %s", got, derived)
	}
}

func TestNothingPrintsTheKey(t *testing.T) {
	v := vault.New(master)
	type holder struct {
		v vault.Vault
		p *vault.Vault
		i any
	}
	h := holder{*v, v, v}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "vault", v, "value", *v, "in", h)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "vault", v, "value", *v, "in", h)
	asJSON, _ := json.Marshal(map[string]any{"vault": v})
	outputs := []string{log.String(), string(asJSON)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%b"} {
		outputs = append(outputs, fmt.Sprintf(verb, v), fmt.Sprintf(verb, *v), fmt.Sprintf(verb, h), fmt.Sprintf(verb, &h))
	}
	leaks := []string{
		"MASTERKEY", hex.EncodeToString(master[:4]), fmt.Sprintf("%X", master[:4]),
		base64.StdEncoding.EncodeToString(master[:6]), "77 65 83", "0x4d, 0x41", "1001101 1000001",
	}
	for _, out := range outputs {
		for _, leak := range leaks {
			if strings.Contains(out, leak) {
				t.Errorf("%q shows in %q", leak, out)
			}
		}
	}
}
