package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// RoleVariable is the environment variable that tells a process which part it has.
// It is not for users: the benchmark sets it when it starts itself.
const RoleVariable = "COINSLOT_BENCH_ROLE"

const (
	roleServe   = "serve"
	roleLoad    = "load"
	rolePost    = "post"
	roleReceive = "receive"
)

// Play plays a part until the process that gave it is done. Setups and jobs come in
// as lines of JSON, and what came of them goes out as such.
func Play(ctx context.Context, role string, open OpenStore, in io.Reader, out io.Writer) error {
	lines, answers := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	switch role {
	case roleServe:
		return playServer(ctx, open, lines, answers)
	case roleLoad:
		return playLoad(ctx, lines, answers)
	case rolePost:
		return playPoster(ctx, open, lines, answers)
	case roleReceive:
		return playReceiver(lines, answers)
	}
	return fmt.Errorf("there is no part %q in a benchmark", role)
}

// worker is a process that plays a part.
type worker struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *json.Decoder
}

func newWorker(ctx context.Context, role string) (*worker, error) {
	cmd, err := itself(ctx, "bench")
	if err != nil {
		return nil, err
	}
	cmd.Env = append(os.Environ(), RoleVariable+"="+role)
	w := &worker{cmd: cmd}
	if w.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.answers = json.NewDecoder(out)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the process to %s: %w", role, err)
	}
	return w, nil
}

// itself is a command that runs this binary.
func itself(ctx context.Context, args ...string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

func (w *worker) pid() int { return w.cmd.Process.Pid }

func (w *worker) send(message any) error { return json.NewEncoder(w.in).Encode(message) }

func (w *worker) receive(answer any) error {
	if err := w.answers.Decode(answer); err != nil {
		return errors.Join(errors.New("a process of the benchmark ended before it was done"), err)
	}
	return nil
}

func (w *worker) ask(message, answer any) error {
	if err := w.send(message); err != nil {
		return err
	}
	return w.receive(answer)
}

// stop ends the process, which does so when it is told nothing more.
func (w *worker) stop() {
	_ = w.in.Close()
	_ = w.cmd.Wait() // whatever it says now: everything was measured
}
