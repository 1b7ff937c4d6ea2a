// Package vault protects what is stored but must be readable again, such as the
// secrets that webhooks are signed with. All of its protection hangs on one master
// key per installation, which lies in a file beside the database.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// KeySize is the length of the master key and of derived keys, in bytes.
const KeySize = 32

// sealedV1 begins whatever is sealed, so that another cipher can follow one day.
const sealedV1 = 1

// What a key is for is part of what it is derived from. The two kinds differ in
// their first word, so that no purpose that Derive is given yields the sealing key.
const (
	sealingInfo   = "coinslot seal v1"
	purposePrefix = "coinslot purpose "
)

// hidden is all that a vault shows of itself.
const hidden = "vault(hidden)"

// ErrUnreadable: it was sealed with another master key or in another context, or
// it is damaged. Which of these cannot be told.
var ErrUnreadable = errors.New("vault: sealed with another key, in another context, or damaged")

// Vault seals and opens with one master key. It is safe for concurrent use, and
// never shows its key, however it is printed.
type Vault struct {
	// Functions, because fmt walks the unexported fields of a struct that holds a
	// Vault without asking for its methods, and may follow pointers too. What a
	// function has captured it cannot see.
	expand func(info string) [KeySize]byte
	cipher func() cipher.AEAD
}

// New returns a vault with the given master key.
func New(master [KeySize]byte) *Vault {
	expand := func(info string) [KeySize]byte {
		key, err := hkdf.Key(sha256.New, master[:], nil, info, KeySize)
		if err != nil {
			panic("vault: " + err.Error()) // only for a length that SHA-256 cannot give
		}
		return [KeySize]byte(key)
	}
	aead := newCipher(expand(sealingInfo))
	return &Vault{expand: expand, cipher: func() cipher.AEAD { return aead }}
}

func newCipher(key [KeySize]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("vault: " + err.Error()) // only for a key of a wrong size
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("vault: " + err.Error()) // only for a cipher that is not AES
	}
	return aead
}

// Seal encrypts plain with AES-256-GCM. The context says what the text belongs to;
// only Open with the same context reads it, so that a sealed text that is moved to
// another row is of no use there. Sealing twice gives two different texts.
func (v *Vault) Seal(plain []byte, context string) []byte {
	return v.cipher().Seal([]byte{sealedV1}, nil, plain, []byte(context))
}

// Open decrypts what Seal made with the same context, or fails with ErrUnreadable.
func (v *Vault) Open(sealed []byte, context string) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != sealedV1 {
		return nil, ErrUnreadable
	}
	plain, err := v.cipher().Open(nil, nil, sealed[1:], []byte(context))
	if err != nil {
		return nil, ErrUnreadable
	}
	return plain, nil
}

// Derive returns a key for one purpose. It is the same for the same master key and
// purpose, and tells nothing of either, nor of the key for any other purpose.
func (v *Vault) Derive(purpose string) [KeySize]byte {
	return v.expand(purposePrefix + purpose)
}

// String hides the key.
func (Vault) String() string { return hidden }

// GoString hides the key from %#v.
func (Vault) GoString() string { return hidden }

// Format hides the key from every verb, those for numbers and bytes among them.
func (Vault) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// LogValue hides the key from log/slog.
func (Vault) LogValue() slog.Value { return slog.StringValue(hidden) }
