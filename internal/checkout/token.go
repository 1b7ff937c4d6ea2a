package checkout

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"

	"github.com/coinslot/coinslot/internal/pay"
)

// mostForm is the size at which a form is refused; a real one is a few hundred bytes.
const mostForm = 16 << 10

// token signs a form: which session it pays for, and which attempt that would be.
func (h *handler) token(id pay.SessionID, attempt int) string {
	mac := hmac.New(sha256.New, h.Key[:])
	mac.Write([]byte(string(id) + "\x00" + strconv.Itoa(attempt)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// openForm reads a posted form and checks where it comes from. Where it returns
// false it has answered already, and nothing was charged.
func (v *visit) openForm(id pay.SessionID) (attempt int, ok bool) {
	if v.fromElsewhere() {
		v.problem(http.StatusForbidden, "elsewhere", id)
		return 0, false
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, mostForm)
	if err := v.r.ParseForm(); err != nil {
		v.problem(http.StatusBadRequest, "bad_form", id)
		return 0, false
	}
	// Only the body counts: what stands in a URL ends up in logs and histories.
	attempt, err := strconv.Atoi(v.r.PostForm.Get("attempt"))
	sent := []byte(v.r.PostForm.Get("token"))
	if !hmac.Equal(sent, []byte(v.token(id, attempt))) || err != nil {
		v.show(id, http.StatusForbidden, input{notice: "stale_form"})
		return 0, false
	}
	return attempt, true
}
