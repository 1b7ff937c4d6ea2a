package gateway

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatAnotherProcessMayBeAtIsLeftToItForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alone, among := newOthers(false), newOthers(true)
		look := func(o *others, ids ...string) (theirs []bool) {
			p := o.pass()
			defer p.end()
			for _, id := range ids {
				theirs = append(theirs, p.mayHave(id))
			}
			return theirs
		}
		if look(alone, "a")[0] {
			t.Error("where there is no other process none has it")
		}
		for range 6 {
			if got := look(among, "a", "b"); !got[0] || !got[1] {
				t.Fatal("it was taken from another process too soon", got)
			}
			time.Sleep(othersPatience / 6)
		}
		if got := look(among, "a", "new"); got[0] || !got[1] {
			t.Error("after a while what was seen first then is nobody's", got)
		}
		if got := look(among, "a", "b"); got[0] || !got[1] {
			t.Error("what was away for a pass begins anew", got)
		}
	})
}
