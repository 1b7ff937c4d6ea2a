package pay_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/pay"
)

func TestALogoIsAPictureOrAnAddress(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want pay.ImageRef // "stored" stands for any stored image
		good bool
	}{
		"none":                      {"", "", true},
		"an https URL":              {"https://example.com/logo.svg?v=2", "https://example.com/logo.svg?v=2", true},
		"a picture":                 {dataURI("image/png", pngOf(8, 8)), "stored", true},
		"a picture, shouted":        {"DATA" + strings.TrimPrefix(dataURI("image/png", pngOf(8, 8)), "data"), "stored", true},
		"an http URL":               {"http://example.com/logo.png", "", false},
		"an https URL without host": {"https:///logo.png", "", false},
		"a path":                    {"/logo.png", "", false},
		"what is stored already":    {"stored:0123.png", "", false},
		"a script":                  {"javascript:alert(1)", "", false},
		"a line break":              {"https://example.com/\nlogo.png", "", false},
		"SVG":                       {dataURI("image/svg+xml", []byte("<svg/>")), "", false},
		"bytes of another format":   {dataURI("image/png", jpegOf(8, 8)), "", false},
		"too many pixels":           {dataURI("image/png", pngSaying(4097, 1)), "", false},
		"too many bytes":            {dataURI("image/png", make([]byte, 1<<20+1)), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			ref, img, err := pay.ParseLogo(tt.text)
			if !tt.good {
				wantRefusal(t, err, pay.InvalidSetting, "logo")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if name, stored := ref.Stored(); stored != (tt.want == "stored") || stored && (img == nil || img.Name != name) || !stored && (ref != tt.want || img != nil) {
				t.Errorf("read as %s with the picture %v", ref, img)
			}
			g := spaceShooter
			g.Logo = ref
			if err := g.Check(); err != nil {
				t.Errorf("what was read is refused as a setting: %v", err)
			}
		})
	}
}

func TestBoundsOfAGamesLook(t *testing.T) {
	origins := func(all ...string) func(*pay.Game) { return func(g *pay.Game) { g.EmbedOrigins = all } }
	support := func(to string) func(*pay.Game) { return func(g *pay.Game) { g.SupportURL = to } }
	accent := func(c string) func(*pay.Game) { return func(g *pay.Game) { g.Accent = c } }
	var many []string
	for i := range pay.MostEmbedOrigins + 1 {
		many = append(many, fmt.Sprintf("https://shop%d.example", i))
	}
	for name, tt := range map[string]struct {
		set  func(*pay.Game)
		good bool
	}{
		"a colour":                             {accent("#3151d3"), true},
		"a colour in upper case":               {accent("#FFCC00"), true},
		"a colour of three figures":            {accent("#fc0"), false},
		"a colour that one can see through":    {accent("#3151d380"), false},
		"a colour without its #":               {accent("3151d3"), false},
		"a colour and more":                    {accent("#3151d3;}"), false},
		"a colour and a line break":            {accent("#3151d3\n"), false},
		"support on the web":                   {support("https://example.com/help?game=1#pay"), true},
		"support by mail":                      {support("mailto:help@example.com"), true},
		"support by mail with a subject":       {support("mailto:help@example.com?subject=Payment%20trouble"), true},
		"support over http":                    {support("http://example.com/help"), false},
		"support with a password":              {support("https://me:pw@example.com"), false},
		"support that runs script":             {support("javascript:alert(1)"), false},
		"support without an address":           {support("mailto:"), false},
		"support at a name without an at":      {support("mailto:help?subject=a@b"), false},
		"support at //":                        {support("mailto://help@example.com"), false},
		"support that is relative":             {support("/help"), false},
		"support without a host":               {support("https:///help"), false},
		"support with a space":                 {support("https://example.com/a b"), false},
		"an origin":                            {origins("https://shop.example.com"), true},
		"an origin with a port":                {origins("https://shop.example.com:8443"), true},
		"an origin of one word":                {origins("https://intranet"), true},
		"an origin of one letter":              {origins("https://a.b.c"), true},
		"an origin in Punycode":                {origins("https://xn--mnchen-3ya.xn--p1ai"), true},
		"the machine itself":                   {origins("http://localhost", "http://localhost:3000", "https://localhost:3000"), true},
		"the machine itself by its address":    {origins("http://127.0.0.1:3000"), false},
		"an origin over http":                  {origins("http://shop.example.com"), false},
		"an origin that begins like localhost": {origins("http://localhost.evil.example"), false},
		"an origin with a slash":               {origins("https://shop.example.com/"), false},
		"an origin with a path":                {origins("https://shop.example.com/pay"), false},
		"an origin with a query":               {origins("https://shop.example.com?a"), false},
		"an origin with a user":                {origins("https://me@shop.example.com"), false},
		"an origin in upper case":              {origins("https://Shop.example.com"), false},
		"an origin with umlauts":               {origins("https://münchen.example"), false},
		"an origin with its own port":          {origins("https://shop.example.com:443"), false},
		"localhost with its own port":          {origins("http://localhost:80"), false},
		"a port of nought":                     {origins("https://shop.example.com:0"), false},
		"a port with a nought before it":       {origins("https://shop.example.com:08443"), false},
		"a port with a sign":                   {origins("https://shop.example.com:+8443"), false},
		"a port that there is not":             {origins("https://shop.example.com:65536"), false},
		"a colon without a port":               {origins("https://shop.example.com:"), false},
		"any host":                             {origins("https://*"), false},
		"any host of a domain":                 {origins("https://*.example.com"), false},
		"any port":                             {origins("https://shop.example.com:*"), false},
		"an address of figures":                {origins("https://192.168.0.1"), false},
		"an address in brackets":               {origins("https://[::1]"), false},
		"a host with a dot at its end":         {origins("https://shop.example.com."), false},
		"a scheme alone":                       {origins("https:"), false},
		"a word of the policy":                 {origins("'self'"), false},
		"the end of the policy":                {origins("https://a.example; script-src *"), false},
		"two origins in one":                   {origins("https://a.example https://b.example"), false},
		"nothing at all":                       {origins(""), false},
		"null":                                 {origins("null"), false},
		"one origin twice":                     {origins("https://a.example", "https://b.example", "https://a.example"), false},
		"as many origins as there may be":      {origins(many[1:]...), true},
		"one origin more":                      {origins(many...), false},
	} {
		t.Run(name, func(t *testing.T) {
			g := spaceShooter
			tt.set(&g)
			if err := g.Check(); (err == nil) != tt.good {
				t.Errorf("accepted should be %v: %v", tt.good, err)
			}
		})
	}
}

func TestOnlyPlayMoneyIsFramedWithoutTLS(t *testing.T) {
	g := pay.Game{EmbedOrigins: []string{"http://localhost:3000", "https://shop.example"}}
	for env, want := range map[pay.Environment][]string{pay.Sandbox: g.EmbedOrigins, pay.Production: {"https://shop.example"}} {
		if diff := cmp.Diff(want, g.EmbeddableBy(env)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", env, diff)
		}
	}
	if len(g.EmbedOrigins) != 2 {
		t.Error("asking has changed the setting")
	}
}
