package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// numbered is the program of one of several servers, with a directory of its own.
func (p Program) numbered(n int) Program {
	p.Number, p.Dir = n, filepath.Join(p.Dir, fmt.Sprintf("server-%d", n))
	return p
}

// share gives the program what all servers on one database have in common.
func (p Program) share(first Program) error {
	if err := os.MkdirAll(p.data(), 0o700); err != nil {
		return err
	}
	for from, to := range map[string]string{first.vault(): p.vault(), first.token(): p.token()} {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, text, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fleet is several servers on one database, and leads callers to those that are up, as
// a load balancer does.
type fleet struct {
	mu    sync.Mutex
	lives []*process
	open  map[*process]bool // callers are led there
}

// lead is a way.
func (f *fleet) lead(random *rand.Rand) *process {
	f.mu.Lock()
	defer f.mu.Unlock()
	var up []*process
	for _, p := range f.lives {
		if f.open[p] {
			up = append(up, p)
		}
	}
	if len(up) == 0 {
		return nil
	}
	return up[random.IntN(len(up))].lead(random)
}

// put has callers led to a server, in the place of an earlier life of it if there was one.
func (f *fleet) put(server *process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open[server] = true
	for i, p := range f.lives {
		if p.program.Number == server.program.Number {
			f.lives[i] = server
			return
		}
	}
	f.lives = append(f.lives, server)
}

// takeOut has no more callers led to a server.
func (f *fleet) takeOut(server *process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, server)
}

// at is the server of a number.
func (f *fleet) at(number int) *process {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.lives {
		if p.program.Number == number {
			return p
		}
	}
	return nil
}

// dismiss takes a server out, lets the calls end that it has, ends it in good order, and
// forgets it.
func (f *fleet) dismiss(server *process) error {
	f.takeOut(server)
	server.calls.Wait()
	err := server.stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lives = slices.DeleteFunc(f.lives, func(p *process) bool { return p == server })
	return err
}

// alive is an error if a server ended that nobody has ended.
func (f *fleet) alive() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.lives {
		if p.dead() {
			return fmt.Errorf("server %d ended by itself; its log says why", p.program.Number)
		}
	}
	return nil
}

func (f *fleet) kill() {
	for _, p := range f.lives {
		p.kill()
	}
}

// besiege runs servers, and the crowd at all of them, while something is done to them. What
// is left at the end goes in good order.
func (r *run) besiege(ctx context.Context, programs []Program, do func(context.Context, *fleet) error) (err error) {
	f := &fleet{open: map[*process]bool{}}
	defer f.kill()
	for _, p := range programs {
		if err := r.reinforce(ctx, f, p); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	played := make(chan struct{})
	go func() {
		defer close(played)
		r.crowd.play(ctx, 1, f.lead, r.key)
	}()
	err = do(ctx, f)
	stop()
	<-played
	if err != nil {
		return err
	}
	for _, p := range slices.Clone(f.lives) {
		err = errors.Join(err, f.dismiss(p))
	}
	return err
}

// reinforce starts a server, and leads callers to it. The first sets up what the crowd needs.
func (r *run) reinforce(ctx context.Context, f *fleet, p Program) error {
	first := r.key == ""
	if !first {
		if err := p.share(r.Program); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return err
	}
	server, err := p.start(ctx)
	if err != nil {
		return err
	}
	f.put(server)
	if first {
		return r.setUp(ctx, server)
	}
	return nil
}
