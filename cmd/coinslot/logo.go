package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/coinslot/coinslot/internal/config"
	"github.com/coinslot/coinslot/internal/pay"
)

// logoText reads a logo: an address stays as it is, a file becomes a data: URI.
func logoText(to *string) config.Reader {
	return config.Reader{Read: func(text string) (err error) {
		if *to = text; text != "" && !strings.HasPrefix(text, "data:") && !strings.Contains(text, "://") {
			*to, err = pictureFile(text)
		}
		return err
	}}
}

// pictureFile is a file as the API takes it. The server looks closer than at its beginning.
func pictureFile(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("must be an https URL or a file: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, pay.MostImageBytes+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("must be an https URL or a file: %w", err)
	case len(data) > pay.MostImageBytes:
		return "", fmt.Errorf("must be a file of at most %d bytes", pay.MostImageBytes)
	}
	kind := http.DetectContentType(data)
	if kind != "image/png" && kind != "image/jpeg" && kind != "image/webp" {
		return "", fmt.Errorf("must be a PNG, JPEG or WebP file, got %s", kind)
	}
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data), nil
}
