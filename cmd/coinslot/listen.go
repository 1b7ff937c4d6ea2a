package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"github.com/coinslot/coinslot/internal/config"
)

// door is where the server listens.
type door struct {
	net.Listener
	tls *tls.Config // nil: no TLS
	url string      // by which this machine reaches it
}

func listen(cfg *config.Serve) (*door, error) {
	d := &door{}
	scheme := "http"
	if cfg.TLSCert != "" {
		certificate, err := tls.LoadX509KeyPair(cfg.TLSCert, cfg.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("load --tls-cert and --tls-key: %w", err)
		}
		d.tls = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		scheme = "https"
	}
	var err error
	if d.Listener, err = net.Listen("tcp", cfg.Addr); err != nil {
		return nil, fmt.Errorf("listen on --addr %s: %w; --addr or COINSLOT_ADDR names another", cfg.Addr, err)
	}
	d.url = scheme + "://" + localName(d.Addr().(*net.TCPAddr))
	return d, nil
}

// localName is host and port by which this machine reaches an address.
func localName(a *net.TCPAddr) string {
	host := a.IP.String()
	if a.IP.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, strconv.Itoa(a.Port))
}

// fingerprint is that of the door's certificate; empty where it has none.
func (d *door) fingerprint() string {
	if d.tls == nil {
		return ""
	}
	return fingerprint(d.tls.Certificates[0].Certificate[0])
}

// serve answers at the door until the server is shut down, which is no error.
func (d *door) serve(s *http.Server) error {
	var err error
	if d.tls == nil {
		err = s.Serve(d)
	} else {
		s.TLSConfig = d.tls
		err = s.ServeTLS(d, "", "")
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}
