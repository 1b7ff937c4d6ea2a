package sqlstore

import (
	"fmt"
	"maps"
	"sync"
)

// Known is what an engine far away remembers of the endpoints from one transaction to the
// next, so that an event need not ask who wants it. It is of one generation of the
// settings, and whoever relies on it has the database see, in its own transaction,
// whether that is the present one. It is safe for concurrent use.
type Known struct {
	mu         sync.Mutex
	generation int64 // 0: nothing is known
	endpoints  subscribers
}

// Forget is to be called where the generation turned out to be another one.
func (k *Known) Forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.generation, k.endpoints = 0, nil
}

// begin hands out what is known. Nobody ever changes what was handed out.
func (k *Known) begin() (generation int64, known subscribers) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.generation, k.endpoints
}

// learn adds what a transaction has found, which was of that generation when it committed.
func (k *Known) learn(generation int64, found subscribers) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if generation < k.generation || len(found) == 0 {
		return
	}
	all := maps.Clone(k.endpoints)
	if all == nil || generation > k.generation {
		all = subscribers{}
	}
	maps.Copy(all, found)
	k.generation, k.endpoints = generation, all
}

// reliance is how a transaction relies on what is known.
type reliance struct {
	on         *Known // nil: it asks for itself, as SQLite does
	generation int64
	known      subscribers // not to be changed
	sure       bool        // the generation was read, or the database refuses another one
}

// NewBatchKnowing returns a Batch for one transaction that relies on what is known.
func NewBatchKnowing(k *Known) *Batch {
	b := NewBatch()
	b.reliance.on = k
	b.reliance.generation, b.reliance.known = k.begin()
	return b
}

// look finds endpoints among what is known.
func (r *reliance) look(q Querier, who audience) ([]subscriber, bool, error) {
	if r.on == nil {
		return nil, false, nil
	}
	if r.generation == 0 {
		generation, err := one(q, readInteger, selectGeneration)
		if err != nil {
			return nil, false, fmt.Errorf("generation of the settings: %w", err)
		}
		r.generation, r.sure = generation, true
	}
	if !r.sure {
		r.sure = true
		if err := do(q, sameGeneration, r.generation); err != nil {
			return nil, false, fmt.Errorf("generation of the settings: %w", err)
		}
	}
	found, ok := r.known[who]
	return found, ok, nil
}

// Committed keeps what the transaction has found out for those that follow.
func (b *Batch) Committed() {
	if b.reliance.sure {
		b.reliance.on.learn(b.reliance.generation, b.subscribers)
	}
}
