// Package look is how all of Coinslot's pages look: the design in numbers, in one
// place, for the rooms that have pages.
package look

import _ "embed"

// Tokens is a style sheet that only names colours, sizes and distances, for light and dark.
//
//go:embed tokens.css
var Tokens string
