package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"connectrpc.com/connect"

	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/config"
)

// operation is what an operator's command does with the server.
type operation func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error

// online is a command that talks to the running server.
func online(declare func(*config.Flags) operation) func(*config.Flags) action {
	return func(f *config.Flags) action {
		do := declare(f)
		where := config.AdminFlags(f)
		p := &printer{}
		f.Flag("json", "", "print the server's answer as JSON", config.Switch(&p.json))
		return func(ctx context.Context, c *console, operands []string) error {
			where.ReadToken(c.env)
			p.console = c
			target, err := findServer(where)
			if err != nil {
				return err
			}
			return explainCall(do(ctx, target.client(), p, operands), target.url)
		}
	}
}

// target is a server and what opens its admin API.
type target struct {
	url         string
	token       string
	local       bool   // on this machine, so that no proxy may come between
	certificate string // SHA-256 of the only one to trust, in hex; empty: as the system trusts
}

// findServer finds the server: as told, or by the files of the one that runs on
// this machine.
func findServer(where *config.Admin) (target, error) {
	dir := dataDir(where.Data)
	if where.URL != "" {
		if where.Token == "" {
			return target{}, fmt.Errorf("COINSLOT_ADMIN_TOKEN must be the admin token of the server at %s", where.URL)
		}
		return target{url: where.URL, token: where.Token}, nil
	}
	running, err := dir.readRunning()
	if err != nil {
		return target{}, fmt.Errorf("no server runs on the data directory %s; start one with `coinslot serve`, or name another with --data or --server", absolute(where.Data))
	}
	token := where.Token
	if token == "" {
		if token, err = dir.readToken(); err != nil {
			return target{}, fmt.Errorf("read the admin token: %w", err)
		}
	}
	return target{url: running.URL, token: token, local: true, certificate: running.Certificate}, nil
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func (t target) client(options ...connect.ClientOption) adminv1connect.AdminServiceClient {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if t.local {
		transport.Proxy = nil
	}
	if t.certificate != "" {
		// The server's own file says which certificate it has. That is better than its
		// name, which is seldom that of the address it listens on.
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, VerifyConnection: t.verify}
	}
	// The token goes to the server that was named, and nowhere that this one points to.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return adminv1connect.NewAdminServiceClient(&http.Client{Transport: bearer{t.token, transport}, CheckRedirect: stay}, t.url, options...)
}

func (t target) verify(state tls.ConnectionState) error {
	if fingerprint(state.PeerCertificates[0].Raw) != t.certificate {
		return errors.New("the server shows another certificate than the one it wrote into its data directory")
	}
	return nil
}

func fingerprint(certificate []byte) string {
	sum := sha256.Sum256(certificate)
	return hex.EncodeToString(sum[:])
}

// bearer shows a token with each request.
type bearer struct {
	token string
	next  http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}

// mostMessage bounds what is shown of a server's words, in characters: whoever answers at
// an address that was mistyped may be a stranger.
const mostMessage = 2000

// explainCall says what went wrong with a call in an operator's words.
func explainCall(err error, url string) error {
	var failed *connect.Error
	switch {
	case !errors.As(err, &failed):
		return err
	case failed.Code() == connect.CodeUnauthenticated:
		return fmt.Errorf("the server at %s does not take this admin token", url)
	case connect.IsWireError(err):
		return errors.New(tame(failed.Message(), mostMessage))
	case failed.Code() == connect.CodeUnavailable:
		return fmt.Errorf("no server answers at %s: %s", url, tame(failed.Message(), mostMessage))
	}
	return fmt.Errorf("call the server at %s: %s", url, tame(failed.Message(), mostMessage))
}
