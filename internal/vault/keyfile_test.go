package vault_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/coinslot/coinslot/internal/vault"
)

func mustOpen(t *testing.T, path string) *vault.Vault {
	t.Helper()
	v, err := vault.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestOpenMakesAKeyOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	sealed := mustOpen(t, path).Seal([]byte("secret"), "c")
	if got, err := mustOpen(t, path).Open(sealed, "c"); err != nil || string(got) != "secret" {
		t.Errorf("after reopening: %q, %v", got, err)
	}
	other := mustOpen(t, filepath.Join(t.TempDir(), "master.key"))
	if _, err := other.Open(sealed, "c"); err == nil {
		t.Error("two installations have the same key")
	}
}

func TestKeyFileIsItsOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, filepath.Join(dir, "master.key"))
	info, err := os.Stat(filepath.Join(dir, "master.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v; want 0600", info.Mode(), err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("drafts are left behind: %v", files)
	}
}

func TestOpenAtOnceAgreesOnOneKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	keys := make([][vault.KeySize]byte, 16)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			if v, err := vault.Open(path); err == nil {
				keys[i] = v.Derive("x")
			}
		})
	}
	wg.Wait()
	want := mustOpen(t, path).Derive("x")
	for i, k := range keys {
		if k != want {
			t.Errorf("opener %d has another key", i)
		}
	}
}

func TestOpenRefusesWhatIsNoKey(t *testing.T) {
	const real = "NEVERSHOWTHISPARTOFAKEY"
	for _, text := range []string{
		"", "\n", real, "coinslot-master-key-1:", "coinslot-master-key-1:" + real,
		"coinslot-master-key-1:AAAA", "coinslot-master-key-2:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	} {
		path := filepath.Join(t.TempDir(), "master.key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := vault.Open(path)
		if err == nil {
			t.Errorf("%q was taken for a key", text)
			continue
		}
		if strings.Contains(err.Error(), real) {
			t.Errorf("the error quotes the file: %v", err)
		}
		if after, _ := os.ReadFile(path); string(after) != text {
			t.Errorf("%q was overwritten", text)
		}
	}
}

func TestOpenNeedsTheFolder(t *testing.T) {
	if _, err := vault.Open(filepath.Join(t.TempDir(), "missing", "master.key")); err == nil {
		t.Error("no error for a folder that is not there")
	}
}
