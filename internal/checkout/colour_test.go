package checkout

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/look"
)

var token = regexp.MustCompile(`(--[a-z-]+): (#[0-9a-f]{6});`)

// luminance is computed apart from the code under test, as WCAG 2.2 defines it.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.
	for i, weight := range []float64{.2126, .7152, .0722} {
		v := float64(n>>(16-8*i)&0xff) / 255
		if v > .04045 {
			v = math.Pow((v+.055)/1.055, 2.4)
		} else {
			v /= 12.92
		}
		sum += weight * v
	}
	return sum
}

var written = regexp.MustCompile(`^:root\{(.*)\}@media \(prefers-color-scheme: dark\)\{:root\{(.*)\}\}$`)

// accentTokens reads the style back.
func accentTokens(t *testing.T, colour string) (schemes [2]map[string]string) {
	t.Helper()
	m := written.FindStringSubmatch(string(accentStyle(colour)))
	if m == nil {
		t.Fatalf("%s: the style is %q", colour, accentStyle(colour))
	}
	for i, tokens := range m[1:] {
		schemes[i] = map[string]string{}
		for pair := range strings.SplitSeq(tokens, ";") {
			name, value, _ := strings.Cut(pair, ":")
			schemes[i][name] = value
		}
	}
	return schemes
}

// Every colour that a game may choose, 17 steps each way, and some by name.
func TestWhateverColourAGameChoosesItsButtonsCanBeSeen(t *testing.T) {
	day, night, _ := strings.Cut(look.Tokens, "@media")
	grounds := [2]map[string]string{{}, {}}
	for i, css := range []string{day, night} {
		for _, m := range token.FindAllStringSubmatch(css, -1) {
			grounds[i][m[1]] = m[2]
		}
	}
	ratio := func(a, b string) float64 {
		x, y := luminance(t, a), luminance(t, b)
		return (max(x, y) + .05) / (min(x, y) + .05)
	}
	colours := []string{"#ffff00", "#FFFF00", "#000000", "#ffffff", "#777777", "#3151d3", "#010101", "#fefefe", "#e53935"}
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for b := 0; b < 256; b += 15 {
				colours = append(colours, rgb{float64(r) / 255, float64(g) / 255, float64(b) / 255}.String())
			}
		}
	}
	for _, colour := range colours {
		for i, set := range accentTokens(t, colour) {
			for _, name := range []string{"--accent", "--accent-deep", "--focus"} {
				for _, ground := range []string{"--ground", "--surface", "--tint", "--notice-tint"} {
					if got := ratio(set[name], grounds[i][ground]); got < 3 {
						t.Fatalf("%s, scheme %d: %s %s on %s is %.2f to 1", colour, i, name, set[name], ground, got)
					}
				}
				if got := ratio(set[name], set["--on-accent"]); name != "--focus" && got < 4.5 {
					t.Fatalf("%s, scheme %d: the text on %s %s is %.2f to 1", colour, i, name, set[name], got)
				}
			}
		}
	}
}

// Of each colour: whether it stays in light and in dark, and the text on it in light.
func TestAColourThatCanBeSeenStaysAsItIs(t *testing.T) {
	for _, tt := range []struct {
		colour string
		stays  [2]bool
		text   string
	}{
		{"#3151d3", [2]bool{true, false}, "#ffffff"},
		{"#ffff00", [2]bool{false, true}, "#000000"},
		{"#000000", [2]bool{true, false}, "#ffffff"},
		{"#ffffff", [2]bool{false, true}, "#ffffff"},
		{"#777777", [2]bool{false, true}, "#ffffff"},
		{"#e53935", [2]bool{false, true}, "#ffffff"},
	} {
		for i, got := range accentTokens(t, tt.colour) {
			if (got["--accent"] == tt.colour) != tt.stays[i] || got["--focus"] != got["--accent"] {
				t.Errorf("%s, scheme %d: %v", tt.colour, i, got)
			}
			if text := [2]string{tt.text, "#000000"}[i]; got["--on-accent"] != text {
				t.Errorf("%s, scheme %d: the text is %s", tt.colour, i, got["--on-accent"])
			}
			if got["--accent-deep"] == got["--accent"] {
				t.Errorf("%s, scheme %d: the button does not change under the mouse", tt.colour, i)
			}
		}
	}
	if got := accentStyle(""); got != "" {
		t.Errorf("no colour is %q", got)
	}
}

func TestBlackAndWhiteStandInForEachOther(t *testing.T) {
	if got := accentTokens(t, "#000000")[1]; got["--accent"] != "#ffffff" || got["--on-accent"] != "#000000" {
		t.Errorf("black in dark is %v", got)
	}
	if got := accentTokens(t, "#f8f8f8")[0]; got["--accent"] != "#000000" || got["--on-accent"] != "#ffffff" {
		t.Errorf("white in light is %v", got)
	}
}

func TestAColourIsMovedNoFurtherThanItMust(t *testing.T) {
	for colour, s := range map[string]scheme{"#ffff00": light, "#ffeeaa": light, "#777777": light, "#000080": dark, "#3151d3": dark} {
		c := parseColour(colour)
		fitted := s.fit(c)
		for part := .0; part <= 1; part += .01 {
			nearer := c.mix(s.away, part)
			if nearer == fitted.fill {
				break
			}
			if s.legible(nearer, fitted.text) {
				t.Errorf("%s became %s, although %s would do", colour, fitted.fill, nearer)
			}
		}
	}
}
