package look

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var token = regexp.MustCompile(`(--[a-z-]+): (#[0-9a-f]{6});`)

// WCAG 2.2 wants 4.5 to 1 for text, and 3 to 1 for what shows where a control is.
func TestTheColoursCanBeToldApart(t *testing.T) {
	light, dark, found := strings.Cut(Tokens, "@media")
	if !found {
		t.Fatal("there are no dark colours")
	}
	for name, css := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]float64{}
		for _, m := range token.FindAllStringSubmatch(css, -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for _, pair := range []struct {
			front, back string
			least       float64
		}{
			{"--text", "--surface", 4.5}, {"--text", "--tint", 4.5}, {"--text", "--notice-tint", 4.5},
			{"--muted", "--surface", 4.5}, {"--muted", "--tint", 4.5}, {"--muted", "--notice-tint", 4.5}, {"--faint", "--surface", 4.5},
			{"--on-accent", "--accent", 4.5}, {"--on-accent", "--accent-deep", 4.5},
			{"--danger", "--surface", 4.5}, {"--danger", "--danger-tint", 4.5}, {"--notice", "--notice-tint", 4.5},
			{"--success", "--success-tint", 3}, {"--edge", "--surface", 3}, {"--edge", "--notice-tint", 3},
			{"--focus", "--surface", 3}, {"--focus", "--tint", 3}, {"--accent", "--tint", 3}, {"--accent", "--surface", 3},
		} {
			a, b := colours[pair.front], colours[pair.back]
			if ratio := (max(a, b) + .05) / (min(a, b) + .05); ratio < pair.least {
				t.Errorf("%s: %s on %s is %.2f to 1, at least %.1f is needed", name, pair.front, pair.back, ratio, pair.least)
			}
		}
	}
}

// What is a colour, a size of letters, a shadow or a pace is said in tokens.css, once, and
// by no page's own style.
func TestStylesTakeTheirNumbersFromTheTokens(t *testing.T) {
	stray := regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|rgba?\(|(font-size|border-radius): [0-9.]+(px|rem)|\b[0-9.]+m?s (linear|ease|var)`)
	for _, file := range []string{"../checkout/page/page.css", "../inbox/page/inbox.css"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		style := regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(string(text), "")
		for _, found := range stray.FindAllString(style, -1) {
			t.Errorf("%s says %q by itself", file, found)
		}
		for _, m := range regexp.MustCompile(`var\((--[a-z0-9-]+)\)`).FindAllStringSubmatch(style, -1) {
			if !strings.Contains(Tokens, m[1]+":") {
				t.Errorf("%s: there is no token %s", file, m[1])
			}
		}
	}
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	linear := func(c uint64) float64 {
		v := float64(c&0xff) / 255
		if v <= .04045 {
			return v / 12.92
		}
		return math.Pow((v+.055)/1.055, 2.4)
	}
	return .2126*linear(n>>16) + .7152*linear(n>>8) + .0722*linear(n)
}
