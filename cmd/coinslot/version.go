package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/coinslot/coinslot/internal/config"
)

var versionCommand = command{
	path: "version", brief: "print the version",
	prepare: func(*config.Flags) action {
		return func(_ context.Context, c *console, _ []string) error {
			_, err := fmt.Fprintf(c.out, "coinslot %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		}
	},
}

// version is the module's version, or the commit of a build that has none.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}
