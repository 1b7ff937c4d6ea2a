package pay_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/coinslot/coinslot/internal/pay"
)

// ids makes an id of each kind, by its prefix.
var ids = map[string]func(time.Time, pay.Entropy) string{
	"sess_": func(t time.Time, e pay.Entropy) string { return string(pay.NewSessionID(t, e)) },
	"pay_":  func(t time.Time, e pay.Entropy) string { return string(pay.NewPaymentID(t, e)) },
	"ref_":  func(t time.Time, e pay.Entropy) string { return string(pay.NewRefundID(t, e)) },
	"key_":  func(t time.Time, e pay.Entropy) string { return string(pay.NewKeyID(t, e)) },
	"we_":   func(t time.Time, e pay.Entropy) string { return string(pay.NewEndpointID(t, e)) },
}

// times draws a time that ids can be made at: from 1970 into the year 10000.
func times(t *rapid.T, label string) time.Time {
	return time.UnixMilli(rapid.Int64Range(0, 1<<48-1).Draw(t, label))
}

func drawEntropy(t *rapid.T, label string) (e pay.Entropy) {
	copy(e[:], rapid.SliceOfN(rapid.Byte(), len(e), len(e)).Draw(t, label))
	return e
}

func TestAnIDIsItsPrefixTimeAndEntropy(t *testing.T) {
	var e pay.Entropy
	if bits := len(e) * 8; bits+48 < 128 {
		t.Fatalf("an id has %d random bits after 48 of time", bits)
	}
	for prefix, make := range ids {
		shape := regexp.MustCompile("^" + prefix + "[0-9a-v]{32}$")
		rapid.Check(t, func(t *rapid.T) {
			if id := make(times(t, "time"), drawEntropy(t, "entropy")); !shape.MatchString(id) {
				t.Fatalf("%s does not match %s", id, shape)
			}
		})
	}
}

func TestIDsSortByCreation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		make := ids[rapid.SampledFrom([]string{"sess_", "pay_", "ref_", "key_", "we_"}).Draw(t, "kind")]
		early, late := times(t, "one"), times(t, "other")
		if late.Before(early) {
			early, late = late, early
		}
		a, b := make(early, drawEntropy(t, "entropy of one")), make(late, drawEntropy(t, "entropy of the other"))
		if early.Before(late) && a >= b {
			t.Fatalf("%s of %s sorts after %s of %s", a, early, b, late)
		}
	})
}

// TestEveryBitOfTimeAndEntropyCounts: no two ids are the same but of the same millisecond and bits.
func TestEveryBitOfTimeAndEntropyCounts(t *testing.T) {
	var e pay.Entropy
	seen := map[pay.SessionID]bool{pay.NewSessionID(noon, e): true}
	for bit := range len(e) * 8 {
		other := e
		other[bit/8] ^= 1 << (bit % 8)
		seen[pay.NewSessionID(noon, other)] = true
	}
	for bit := range 48 {
		seen[pay.NewSessionID(time.UnixMilli(noon.UnixMilli()^1<<bit), e)] = true
	}
	if want := 1 + 112 + 48; len(seen) != want {
		t.Errorf("%d different ids, want %d", len(seen), want)
	}
}

func TestIDsParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now, e := times(t, "time"), drawEntropy(t, "entropy")
		if id, err := pay.ParseSessionID("id", string(pay.NewSessionID(now, e))); err != nil || id != pay.NewSessionID(now, e) {
			t.Fatalf("%s, %v", id, err)
		}
		if id, err := pay.ParsePaymentID("id", string(pay.NewPaymentID(now, e))); err != nil || id != pay.NewPaymentID(now, e) {
			t.Fatalf("%s, %v", id, err)
		}
		if id, err := pay.ParseRefundID("id", string(pay.NewRefundID(now, e))); err != nil || id != pay.NewRefundID(now, e) {
			t.Fatalf("%s, %v", id, err)
		}
	})
}

func TestAnEventIDIsAUUIDInLowerCase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var u uuid.UUID
		copy(u[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		if id, err := pay.ParseEventID("id", u.String()); err != nil || string(id) != u.String() {
			t.Fatalf("%s, %v", id, err)
		}
	})
	good := "01978c2e-0000-7000-8000-00000000000a"
	for _, bad := range []string{
		"", "event_1", strings.ToUpper(good), "{" + good + "}", "urn:uuid:" + good, strings.ReplaceAll(good, "-", ""), good + "0", good[1:],
		good + "\n", "\n" + good, strings.Replace(good, "a", "g", 1), strings.Replace(good, "a", "٣", 1), good[:35] + "\xff", good[:35] + "\x00",
	} {
		_, err := pay.ParseEventID("event_id", bad)
		wantRefusal(t, err, pay.InvalidID, "event_id")
	}
}

func TestWhatIsNoID(t *testing.T) {
	for _, bad := range []string{
		"", "sess", "sess_", "pay_1", "SESS_1", "sess_A", "sess_é", "sess_1 ", " sess_1", "sess_1\n", "sess_1/..", "sess_1%00",
		"sess_\x00", "sess_-", "sess__", "sess_\xff", "sess_" + strings.Repeat("1", 65), "xsess_1",
	} {
		_, err := pay.ParseSessionID("id", bad)
		wantRefusal(t, err, pay.InvalidID, "id")
	}
	for _, unknown := range []string{"sess_1", "sess_abc123", "sess_zzz", "sess_" + strings.Repeat("1", 64)} {
		if _, err := pay.ParseSessionID("id", unknown); err != nil {
			t.Errorf("%s has the shape of an id, of ours or not: %v", unknown, err)
		}
	}
	if _, err := pay.ParsePaymentID("id", "sess_1"); err == nil {
		t.Error("a session's id passes for a payment's")
	}
	_, err := pay.ParseRefundID("refund_id", "pay_1")
	wantRefusal(t, err, pay.InvalidID, "refund_id")
}

// TestAnEventHasOneID: the same decision made again tells of the same events.
func TestAnEventHasOneID(t *testing.T) {
	s, p := start(t, newSession(t, spaceShooter), noon)
	once := s.Settle(p, pay.Outcome{Kind: pay.OutcomeSucceeded}, noon)
	again := s.Settle(p, pay.Outcome{Kind: pay.OutcomeSucceeded}, noon)
	for i := range once.Events {
		if once.Events[i].ID != again.Events[i].ID {
			t.Errorf("event %d: %s, then %s", i, once.Events[i].ID, again.Events[i].ID)
		}
	}
}

// TestEventIDsOfDifferentSessionsDiffer even at the same time and place in their sequence.
func TestEventIDsOfDifferentSessionsDiffer(t *testing.T) {
	seen := map[pay.EventID]bool{}
	for n := range 1000 {
		c, err := pay.NewSession(pay.NewSessionID(noon, pay.Entropy{byte(n), byte(n >> 8)}), pay.Sandbox, spaceShooter, coins(), noon)
		if err != nil {
			t.Fatal(err)
		}
		seen[c.Events[0].ID] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d different ids of 1000 events", len(seen))
	}
}

func TestFormatUUID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var u uuid.UUID
		copy(u[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		if got := pay.FormatUUID(u); got != u.String() {
			t.Fatalf("%s, want %s", got, u)
		}
	})
}

func FuzzParseIDs(f *testing.F) {
	for _, seed := range []string{"", "sess_", "pay_", "sess_0000000000000000000000000000000v", "pay_xyz789", "ref_0", "sess_\x00", "SESS_1", "sess_١"} {
		f.Add(seed)
	}
	good := regexp.MustCompile(`\A(sess|pay|ref)_[0-9a-z]{1,64}\z`)
	f.Fuzz(func(t *testing.T, text string) {
		session, errS := pay.ParseSessionID("id", text)
		payment, errP := pay.ParsePaymentID("id", text)
		refund, errR := pay.ParseRefundID("id", text)
		kinds := 0
		for read, err := range map[string]error{"sess:" + string(session): errS, "pay:" + string(payment): errP, "ref:" + string(refund): errR} {
			if err != nil {
				continue
			}
			kinds++
			if kind, id, _ := strings.Cut(read, ":"); id != text || !strings.HasPrefix(text, kind) {
				t.Errorf("%q is read as %s", text, read)
			}
		}
		if accepted := kinds == 1; accepted != good.MatchString(text) || kinds > 1 {
			t.Errorf("%q: session %v, payment %v, refund %v", text, errS, errP, errR)
		}
	})
}
