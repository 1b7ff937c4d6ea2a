package webhook

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/vault"
)

// secretPrefix begins a signing secret as Standard Webhooks writes it.
const secretPrefix = "whsec_"

// secretContext is what an endpoint's signing secrets are sealed as, so that one that
// is moved to another endpoint's row is of no use there. It never changes: with
// another one none that is stored could be opened.
func secretContext(id pay.EndpointID) string { return "webhook signing secret of " + string(id) }

// NewSecret writes a signing secret. Its entropy must come from crypto/rand.
func NewSecret(entropy [32]byte) string {
	return secretPrefix + base64.StdEncoding.EncodeToString(entropy[:])
}

// Secrets seals the signing secrets of endpoints for the store, and opens them to sign.
type Secrets struct{ vault *vault.Vault }

// NewSecrets returns Secrets that only v's installation can open.
func NewSecrets(v *vault.Vault) Secrets { return Secrets{v} }

// Listener is the secret that events are signed with which are forwarded to a receiver on
// a developer's machine: always the same for an environment of an installation.
func (s Secrets) Listener(env pay.Environment) string {
	return NewSecret(s.vault.Derive("listener of " + string(env)))
}

// Inbox is the secret that events are signed with where they are only shown: always the
// same for an installation, and nobody else's.
func (s Secrets) Inbox() string { return NewSecret(s.vault.Derive("inbox")) }

// New draws a signing secret for an endpoint and returns it as its owner is shown it,
// once, and as it is stored.
func (s Secrets) New(id pay.EndpointID) (text string, sealed []byte) {
	var entropy [32]byte
	_, _ = rand.Read(entropy[:]) // never fails: crypto/rand ends the program rather than give less
	text = NewSecret(entropy)
	return text, s.Seal(id, text)
}

// Seal encrypts an endpoint's signing secret as pay.SealedSecret holds it.
func (s Secrets) Seal(id pay.EndpointID, secret string) []byte {
	return s.vault.Seal([]byte(secret), secretContext(id))
}

// Check says why a stored secret cannot be opened any more, or nil.
func (s Secrets) Check(id pay.EndpointID, sealed []byte) error {
	_, err := s.vault.Open(sealed, secretContext(id))
	return err
}

// errNoSecret: a request that cannot be signed is never sent.
var errNoSecret = errors.New("the endpoint has no signing secret that is still valid")

// live returns the secrets that sign at now, newest first, at least one.
func (s Secrets) live(e pay.Endpoint, now time.Time) ([]string, error) {
	var live []string
	for _, sealed := range e.Secrets {
		if !sealed.ExpiresAt.IsZero() && !now.Before(sealed.ExpiresAt) {
			continue
		}
		secret, err := s.vault.Open(sealed.Sealed, secretContext(e.ID))
		if err != nil {
			return nil, fmt.Errorf("open the endpoint's signing secret: %w", err)
		}
		live = append(live, string(secret))
	}
	if len(live) == 0 {
		return nil, errNoSecret
	}
	return live, nil
}
