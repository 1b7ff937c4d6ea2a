package checkout

import (
	"net/http"

	"github.com/coinslot/coinslot/internal/pay"
)

// sheets are the methods for which the sandbox has a sheet in place of the real wallet's.
var sheets = map[pay.Method]bool{
	pay.MethodApplePay: true, pay.MethodGooglePay: true, pay.MethodPayPal: true, pay.MethodPayLater: true, pay.MethodVenmo: true,
}

// What the sandbox's sheets hand over in place of a wallet's token.
const (
	tokenApproved = "tok_approved"
	tokenDeclined = "tok_declined"
)

// wallet shows the sandbox's sheet: approve, decline or dismiss.
func (v *visit) wallet(id pay.SessionID, method string) {
	c, ok := v.checkout(id)
	switch {
	case !ok:
		return
	case !sheets[pay.Method(method)] || c.Session.Environment != pay.Sandbox:
		v.notFound()
		return
	}
	s := v.view(c)
	if s.Form == nil {
		v.toPage(id, "") // there is nothing to approve any more
		return
	}
	name := s.T(method)
	s.State, s.Heading, s.Says, s.Problem = "wallet", s.T("title_wallet", name), s.T("wallet_stands", name), ""
	s.Link, s.LinkText = v.Address.page(id), s.T("dismiss")
	s.Form.Method, s.Form.Approved, s.Form.Declined = method, tokenApproved, tokenDeclined
	v.render(http.StatusOK, "wallet", s)
}
