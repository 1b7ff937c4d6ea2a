package torture

import (
	"context"
	"errors"
)

// Upgrade has newer servers take the place of older ones, one after the other, while all
// of them are used. The first one that starts brings the schema up to date. The older ones
// have the numbers from 1 on, the newer ones those after that.
func (s Siege) Upgrade(ctx context.Context, older string) (World, *History, error) {
	newer := s.Program
	var old []Program
	for n := range s.Servers {
		p := s.Program.numbered(n + 1)
		p.Binary = older
		old = append(old, p)
	}
	s.Program = old[0]
	r := newRun(s.Options)
	defer r.close()
	n := &nemesis{Siege: s, history: r.history}
	err := r.besiege(ctx, old, func(ctx context.Context, f *fleet) error {
		n.fleet = f
		for _, o := range old {
			if err := n.replace(ctx, r, f.at(o.Number), newer.numbered(o.Number+s.Servers)); err != nil {
				return err
			}
		}
		return n.heard(ctx, stepAnswers)
	})
	if err != nil {
		return World{}, r.history, err
	}
	r.Program = newer.numbered(1) // a new binary where the first old one was
	world, err := r.settle(ctx)
	world.Faults = n.faults
	return world, r.history, err
}

// stepAnswers is how many answers the crowd hears between two steps of an upgrade.
const stepAnswers = 60

// replace starts a newer server, and once both have been used ends an older one.
func (n *nemesis) replace(ctx context.Context, r *run, old *process, by Program) error {
	if err := n.heard(ctx, stepAnswers); err != nil {
		return err
	}
	began := Fault{Kind: Upgrade, Server: by.Number, At: n.history.now()}
	if err := r.reinforce(ctx, n.fleet, by); err != nil {
		return err
	}
	began.Done = n.history.now()
	n.faults = append(n.faults, began)
	return errors.Join(n.heard(ctx, stepAnswers), n.fleet.dismiss(old))
}
