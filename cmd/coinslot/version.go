package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

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

// version is the module's version, as far as the build knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return strings.Trim(info.Main.Version, "()") // "(devel)" where Go knows of none
}
