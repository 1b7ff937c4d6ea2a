package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/coinslot/coinslot/internal/config"
	"github.com/coinslot/coinslot/internal/server"
)

// newLogger logs text where somebody reads along, and JSON where a program does.
func newLogger(to io.Writer, cfg *config.Serve) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	var handler slog.Handler = slog.NewJSONHandler(to, options)
	if cfg.LogFormat == "text" || cfg.LogFormat == "auto" && isTerminal(to) {
		handler = slog.NewTextHandler(to, options)
	}
	return slog.New(server.LogHandler{Handler: handler})
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
