package server

import (
	"log/slog"
	"net/http"
	"time"
)

// Limits of a connection. Handlers have limits of their own.
const (
	readHeaderTimeout    = 10 * time.Second
	readTimeout          = 2 * time.Minute // of the body too; no call takes longer
	writeTimeout         = time.Minute     // of an answer; a caller that does not read must not hold it for ever. A stream has its own
	idleTimeout          = 2 * time.Minute
	mostHeaderBytes      = 32 << 10
	mostStreamsPerClient = 100
	stalledAfter         = 10 * time.Second // an HTTP/2 connection that takes no byte for so long is closed
)

// HTTP makes the http.Server of a handler: HTTP/1.1 and HTTP/2 on one port, HTTP/2
// also without TLS, which is how gRPC clients call inside a network.
func HTTP(handler http.Handler, log *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler: handler, Protocols: protocols,
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: mostHeaderBytes,
		HTTP2:          &http.HTTP2Config{MaxConcurrentStreams: mostStreamsPerClient, WriteByteTimeout: stalledAfter},
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug), // clients that break off, mostly
	}
}
