package checkout

import (
	"fmt"
	"html/template"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/coinslot/coinslot/internal/look"
)

// What WCAG 2.2 wants: text against what it stands on, and a control against what is
// around it.
const (
	textContrast    = 4.5
	controlContrast = 3
)

// rgb is a colour in sRGB, each part from 0 to 1.
type rgb [3]float64

var (
	black = rgb{0, 0, 0}
	white = rgb{1, 1, 1}
)

// scheme is one of the page's two sets of colours.
type scheme struct {
	grounds []rgb // all that a button or its outline can stand on
	away    rgb   // where colours go that are too near the grounds
}

// The page's own grounds, from its design, so that there is one place that says them.
var light, dark = groundsOf(look.Tokens)

var groundToken = regexp.MustCompile(`--(?:ground|surface|tint|notice-tint): (#[0-9a-f]{6});`)

func groundsOf(tokens string) (light, dark scheme) {
	day, night, found := strings.Cut(tokens, "@media (prefers-color-scheme: dark)")
	light, dark = scheme{away: black}, scheme{away: white}
	for _, m := range groundToken.FindAllStringSubmatch(day, -1) {
		light.grounds = append(light.grounds, parseColour(m[1]))
	}
	for _, m := range groundToken.FindAllStringSubmatch(night, -1) {
		dark.grounds = append(dark.grounds, parseColour(m[1]))
	}
	if !found || len(light.grounds) == 0 || len(light.grounds) != len(dark.grounds) {
		panic("checkout: the design does not say what its grounds are") // the file is part of the program
	}
	return light, dark
}

// accent is what a button is drawn with.
type accent struct {
	fill, hover, text rgb
}

// accentStyle sets the page's accent to a game's colour, or to the nearest one that can be
// told from the grounds; nothing for none. What it holds is made of numbers only.
func accentStyle(colour string) template.CSS {
	if colour == "" {
		return ""
	}
	c := parseColour(colour)
	return template.CSS(":root{" + light.fit(c).tokens() + "}@media (prefers-color-scheme: dark){:root{" + dark.fit(c).tokens() + "}}")
}

func (a accent) tokens() string {
	return fmt.Sprintf("--accent:%s;--accent-deep:%s;--on-accent:%s;--focus:%[1]s", a.fill, a.hover, a.text)
}

// fit moves a colour away from the grounds, no further than it must, until a button of
// that colour and the text on it can be seen. On light grounds the text is white where
// the colour carries it or nearly does; else, and on dark grounds, it is black.
//
// A game whose colour is black means a button of the strongest contrast, and one of white
// too: where the grounds are like it, the other of the two is that, and a grey between
// them would look like a button that cannot be pressed.
func (s scheme) fit(c rgb) accent {
	if c.grey() && contrast(c, s.grounds[0]) < 2 {
		c = s.away
	}
	a := accent{text: black}
	if s.away == black && contrast(c, white) >= controlContrast {
		a.text = white
	}
	const steps = 100
	for i := range steps + 1 {
		a.fill = c.mix(s.away, float64(i)/steps)
		if s.legible(a.fill, a.text) {
			break
		}
	}
	a.hover = a.fill.mix(s.away, .14)
	if contrast(a.hover, a.fill) < 1.1 { // it is as far away already as can be
		a.hover = a.fill.mix(a.text, .2)
	}
	if !s.legible(a.hover, a.text) {
		a.hover = a.fill
	}
	return a
}

func (s scheme) legible(fill, text rgb) bool {
	for _, ground := range s.grounds {
		if contrast(fill, ground) < controlContrast {
			return false
		}
	}
	return contrast(fill, text) >= textContrast
}

// grey says whether a colour has no hue to speak of.
func (c rgb) grey() bool { return max(c[0], c[1], c[2])-min(c[0], c[1], c[2]) < .1 }

// mix goes part of the way to another colour, and stays one that six figures can say.
func (c rgb) mix(to rgb, part float64) rgb {
	for i := range c {
		c[i] = math.Round((c[i]+(to[i]-c[i])*part)*255) / 255
	}
	return c
}

// contrast is that of WCAG 2.2, from 1 to 21.
func contrast(a, b rgb) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func (c rgb) luminance() float64 {
	linear := func(v float64) float64 {
		if v <= .04045 {
			return v / 12.92
		}
		return math.Pow((v+.055)/1.055, 2.4)
	}
	return .2126*linear(c[0]) + .7152*linear(c[1]) + .0722*linear(c[2])
}

// parseColour reads #rrggbb. What is not that was never let into a setting.
func parseColour(text string) rgb {
	n, _ := strconv.ParseUint(strings.TrimPrefix(text, "#"), 16, 24)
	return rgb{float64(n>>16) / 255, float64(n>>8&0xff) / 255, float64(n&0xff) / 255}
}

func (c rgb) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0]*255)), int(math.Round(c[1]*255)), int(math.Round(c[2]*255)))
}
