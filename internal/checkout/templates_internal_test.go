package checkout

import (
	"bytes"
	"html/template"
	"testing"
)

// What a game or a player writes cannot be taken for the place of a fixed part, and every
// place that a page keeps is of a part that there is.
func TestOnlyTemplatesKeepPlaces(t *testing.T) {
	const evil = "\x00script\x00"
	h := handler{Options: Options{TestCards: []TestCard{{"4242424242424242", "success"}}}}
	for _, l := range translations {
		for kind := range templatesIn[l.tag]() {
			fill := func(s string) [][]byte {
				shown := view{
					locale: locale{translation: l}, Nonce: s, State: s, Heading: s, Says: s, Problem: s, Sandbox: true, Owed: true,
					Order: &order{s, s, s, s, s}, Back: &back{template.URL(s), s, true}, Support: &support{s, s}, Frame: &frame{s, s},
					Refresh: s, Poll: s, Seen: s, PaidWith: s, Link: s, LinkText: s, Reference: s,
					Form: &form{
						Pay: s, Cancel: s, Verify: s, Token: s, Attempt: s, Card: true, Wallets: []wallet{{s, s}}, OtherWallets: []wallet{{s, s}},
						InApp: &inApp{s, template.URL(s), s}, TestCards: h.TestCards, TestExpiry: s, Method: s, Approved: s, Declined: s,
					},
				}
				page, err := shown.fill(kind)
				if err != nil {
					t.Fatal(err)
				}
				return bytes.Split(page, []byte{0})
			}
			good, bad := fill("fine"), fill(evil)
			if len(good)%2 == 0 || len(bad) != len(good) {
				t.Errorf("%s in %s: %d parts, and %d where texts have NULs", kind, l.tag, len(good), len(bad))
			}
			for i := 1; i < len(good); i += 2 {
				if h.fixed(locale{translation: l})[string(good[i])].text == nil {
					t.Errorf("%s in %s: no part named %q", kind, l.tag, good[i])
				}
			}
		}
	}
}
