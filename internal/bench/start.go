package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Start is how a server on an empty directory comes up.
type Start struct {
	FirstAnswer time.Duration // from the start of the process to its first answer
	Memory      int64         // once it has answered, in bytes; 0: not known
}

// measureStart starts the product itself and ends it again.
func measureStart(ctx context.Context, dir string) (s Start, err error) {
	data, err := os.MkdirTemp(dir, "start")
	if err != nil {
		return s, err
	}
	cmd, err := itself(ctx, "serve", "--quiet-start", "--addr", "127.0.0.1:0", "--log-level", "error", "--data", filepath.Join(data, "data"))
	if err != nil {
		return s, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return s, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return s, fmt.Errorf("start a server: %w", err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it says that it was killed
	}()
	var ready struct{ URL string }
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&ready); err != nil {
		return s, fmt.Errorf("wait for a server: %w", err)
	}
	if err := get(ctx, ready.URL+"/healthz"); err != nil {
		return s, err
	}
	s.FirstAnswer = time.Since(began)
	s.Memory = residentMemory(cmd.Process.Pid)
	return s, nil
}

func get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err
}
