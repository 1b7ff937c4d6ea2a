package store

import "context"

// Inspector is a store that can say how its database itself is, below the contract.
type Inspector interface {
	// Inspect looks at the schema and, unless it is to be quick, at all that is stored.
	Inspect(ctx context.Context, quick bool) (Inspection, error)
}

// Inspection is what was found.
type Inspection struct {
	Schema, Known int64    // the schema's version, and the newest that this program knows
	Wrong         []string // parts of the schema that are missing, or are not as this program makes them
	Foreign       []string // parts of it that somebody else has made
	Damage        []string // what cannot be read, or refers to what is not there
	Pages         bool     // all of them were read
}
