package pay

import (
	"crypto/sha256"
	"hash/crc32"
	"strings"
	"time"
)

// KeySecret is the random part of an API key: 160 bits.
type KeySecret [20]byte

// KeyHash is the SHA-256 of an API key: all of the key that is stored. A key has
// more entropy than the hash could lose, so it needs no salt and no slow hash.
type KeyHash [sha256.Size]byte

// Key is a stored API key. It lets a game server in, for one environment.
type Key struct {
	ID          KeyID
	Hash        KeyHash
	Hint        string // the key's last four characters
	Environment Environment
	Game        GameID // empty: every game
	ReadOnly    bool
	Label       string
	CreatedAt   time.Time
	ExpiresAt   time.Time // zero: never
	RevokedAt   time.Time // zero: not revoked
	LastUsedAt  time.Time // to the minute; zero: never
}

// KeyText writes an API key: sk_<environment>_, 32 characters of secret, then 7 of
// a CRC-32 over all before, so that a typing error or a cut-off key is told from an unknown one
// without a look into the store, and scanners can find leaked keys.
func KeyText(env Environment, secret KeySecret) string {
	text := "sk_" + string(env) + "_" + idText.EncodeToString(secret[:])
	return text + keyChecksum(text)
}

func keyChecksum(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	return idText.EncodeToString([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

// HashKey checks the shape and checksum of an API key and returns its hash.
func HashKey(text string) (KeyHash, bool) {
	const checksum = 7
	secret, ok := strings.CutPrefix(text, "sk_"+string(Sandbox)+"_")
	if !ok {
		secret, ok = strings.CutPrefix(text, "sk_"+string(Production)+"_")
	}
	if !ok || len(secret) != idLength+checksum {
		return KeyHash{}, false
	}
	body := text[:len(text)-checksum]
	return sha256.Sum256([]byte(text)), keyChecksum(body) == text[len(body):]
}

// Valid says whether the key lets anyone in at now. A revoked one never does again,
// not even if the clock is set back.
func (k Key) Valid(now time.Time) bool {
	return k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt))
}

// Covers says whether the key may act for the game.
func (k Key) Covers(g GameID) bool { return k.Game == "" || k.Game == g }

// Check refuses a key whose settings make no sense.
func (k Key) Check() error {
	switch {
	case k.Environment != Sandbox && k.Environment != Production:
		return RefuseField(InvalidSetting, "environment", "must be sandbox or production, got %s", quote(string(k.Environment)))
	case !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(k.CreatedAt):
		return RefuseField(InvalidSetting, "expires_at", "must lie in the future")
	}
	return checkText(InvalidSetting, "label", k.Label, 0, 100)
}
