package checkout

import (
	"net/http"
	"strconv"

	"github.com/coinslot/coinslot/internal/pay"
)

// verify shows what stands in for the page on which a bank asks its customer: approve or
// refuse. Where there is nothing to confirm the page itself tells how things stand.
func (v *visit) verify(id pay.SessionID, _ string) {
	c, open, err := v.Service.Challenged(v.r.Context(), id)
	switch {
	case pay.CodeOf(err) == pay.SessionNotFound:
		v.notFound()
		return
	case err != nil:
		v.failed("unsure", id, err)
		return
	case !open:
		v.toPage(id, "")
		return
	}
	s := v.view(c)
	s.State, s.Heading, s.Says, s.Back = "verify", s.T("bank"), s.T("bank_stands"), nil
	s.Form = &form{
		Verify: v.Address.do(id, "verify"), Token: v.token(id, c.Session.Spent), Attempt: strconv.Itoa(c.Session.Spent),
	}
	v.render(http.StatusOK, "verify", s)
}

// answer takes what the player says. Said twice it counts once, and the page tells what
// came of it.
func (v *visit) answer(id pay.SessionID) {
	attempt, ok := v.openForm(id)
	if !ok {
		return
	}
	said := v.r.PostForm.Get("answer")
	if said != "approve" && said != "refuse" {
		v.toPage(id, "") // which leads here again
		return
	}
	_, err := v.Service.Answer(v.r.Context(), id, attempt, said == "approve")
	switch {
	case pay.CodeOf(err) == pay.SessionNotFound:
		v.notFound()
	case err != nil:
		v.failed("unsure", id, err)
	default:
		v.toPage(id, "")
	}
}
