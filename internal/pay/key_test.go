package pay_test

import (
	"crypto/sha256"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/coinslot/coinslot/internal/pay"
)

func drawKey(t *rapid.T) string {
	var secret pay.KeySecret
	copy(secret[:], rapid.SliceOfN(rapid.Byte(), len(secret), len(secret)).Draw(t, "secret"))
	return pay.KeyText(rapid.SampledFrom([]pay.Environment{pay.Sandbox, pay.Production}).Draw(t, "environment"), secret)
}

func TestAKeyHasAShapeThatScannersFind(t *testing.T) {
	if bits := len(pay.KeySecret{}) * 8; bits < 160 {
		t.Errorf("a key has %d random bits", bits)
	}
	shape := regexp.MustCompile(`^sk_(sandbox|production)_[0-9a-v]{39}$`)
	rapid.Check(t, func(t *rapid.T) {
		key := drawKey(t)
		if !shape.MatchString(key) {
			t.Fatalf("%s does not match %s", key, shape)
		}
		if hash, ok := pay.HashKey(key); !ok || hash != sha256.Sum256([]byte(key)) {
			t.Fatalf("HashKey(%s) = %x, %v, want its SHA-256", key, hash, ok)
		}
	})
}

// TestKeysThatWereGivenOutStayValid: these were written down once and for all.
func TestKeysThatWereGivenOutStayValid(t *testing.T) {
	count := pay.KeySecret{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}
	for want, got := range map[string]string{
		"sk_sandbox_000000000000000000000000000000007dvnl78":    pay.KeyText(pay.Sandbox, pay.KeySecret{}),
		"sk_production_000g40o40k30e209185go38e1s8124gjdj60368": pay.KeyText(pay.Production, count),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if _, ok := pay.HashKey(want); !ok {
			t.Errorf("%s is refused", want)
		}
	}
}

func TestEveryBitOfAKeysSecretCounts(t *testing.T) {
	var secret pay.KeySecret
	seen := map[string]bool{pay.KeyText(pay.Sandbox, secret): true, pay.KeyText(pay.Production, secret): true}
	for bit := range len(secret) * 8 {
		other := secret
		other[bit/8] ^= 1 << (bit % 8)
		seen[pay.KeyText(pay.Sandbox, other)] = true
	}
	if len(seen) != 2+160 {
		t.Errorf("%d different keys, want 162", len(seen))
	}
}

// TestTheChecksumCatchesEverySlipOfOneCharacter, wherever and whatever it is.
func TestTheChecksumCatchesEverySlipOfOneCharacter(t *testing.T) {
	for _, env := range []pay.Environment{pay.Sandbox, pay.Production} {
		key := pay.KeyText(env, pay.KeySecret{1, 2, 3, 250, 251, 252})
		for i := range key {
			for c := range 256 {
				slip := key[:i] + string([]byte{byte(c)}) + key[i+1:]
				if _, ok := pay.HashKey(slip); ok && slip != key {
					t.Errorf("%q passes for %q", slip, key)
				}
			}
			if _, ok := pay.HashKey(key[:i]); ok {
				t.Errorf("%q passes, cut off", key[:i])
			}
			if i > 0 && key[i] != key[i-1] {
				swapped := key[:i-1] + key[i:i+1] + key[i-1:i] + key[i+1:]
				if _, ok := pay.HashKey(swapped); ok {
					t.Errorf("%q passes for %q", swapped, key)
				}
			}
		}
	}
}

func TestWhatIsNoKey(t *testing.T) {
	key := pay.KeyText(pay.Sandbox, pay.KeySecret{1})
	for _, bad := range []string{
		"", "sk_", "sk_sandbox_", key + " ", " " + key, key + "\n", key + "0", strings.ToUpper(key), "Bearer " + key,
		strings.Replace(key, "sandbox", "production", 1), strings.Replace(key, "sandbox", "staging", 1),
		strings.Repeat("a", len(key)), strings.Repeat(key, 1000), "sk_sandbox_" + strings.Repeat("0", 39),
		"pk" + key[2:], string(pay.NewKeyID(noon, entropy(1))),
	} {
		if _, ok := pay.HashKey(bad); ok {
			t.Errorf("%.60q passes for a key", bad)
		}
	}
}

func TestWhenAKeyLetsIn(t *testing.T) {
	for _, tt := range []struct {
		name             string
		expires, revoked time.Time
		want             bool
	}{
		{"for ever", time.Time{}, time.Time{}, true},
		{"before it expires", noon.Add(1), time.Time{}, true},
		{"at the instant it expires", noon, time.Time{}, false},
		{"after it expired", noon.Add(-1), time.Time{}, false},
		{"revoked, and the clock set back since", time.Time{}, noon.Add(1), false},
		{"at the instant it is revoked", time.Time{}, noon, false},
		{"revoked before it expires", noon.Add(1), noon.Add(-1), false},
		{"expired before it is revoked", noon.Add(-1), noon.Add(1), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := (pay.Key{ExpiresAt: tt.expires, RevokedAt: tt.revoked}).Valid(noon); got != tt.want {
				t.Errorf("Valid = %v", got)
			}
		})
	}
}

func TestWhichGamesAKeyCovers(t *testing.T) {
	if one := (pay.Key{Game: "space_shooter"}); !one.Covers("space_shooter") || one.Covers("chess") || one.Covers("") {
		t.Error("a key of one game covers another, or not its own")
	}
	if all := (pay.Key{}); !all.Covers("space_shooter") || !all.Covers("chess") {
		t.Error("a key of every game does not cover them")
	}
}

func TestKeySettings(t *testing.T) {
	good := pay.Key{Environment: pay.Production, Label: strings.Repeat("ä", 100), CreatedAt: noon, ExpiresAt: noon.Add(1)}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for field, spoil := range map[string]func(*pay.Key){
		"environment": func(k *pay.Key) { k.Environment = "staging" },
		"expires_at":  func(k *pay.Key) { k.ExpiresAt = noon },
		"label":       func(k *pay.Key) { k.Label += "ä" },
	} {
		bad := good
		spoil(&bad)
		wantRefusal(t, bad.Check(), pay.InvalidSetting, field)
	}
}

func FuzzHashKey(f *testing.F) {
	key := pay.KeyText(pay.Production, pay.KeySecret{7})
	for _, seed := range []string{"", "sk_sandbox_", key, key[1:], pay.KeyText(pay.Sandbox, pay.KeySecret{})} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		hash, ok := pay.HashKey(text)
		if !ok {
			return
		}
		if !strings.HasPrefix(text, "sk_sandbox_") && !strings.HasPrefix(text, "sk_production_") {
			t.Errorf("%q passes for a key", text)
		}
		if hash != sha256.Sum256([]byte(text)) {
			t.Errorf("the hash of %q is not its SHA-256", text)
		}
		if _, ok := pay.HashKey(text + "0"); ok {
			t.Errorf("%q passes with a character more", text)
		}
	})
}
