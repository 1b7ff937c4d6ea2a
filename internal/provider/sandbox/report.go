package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// signatureHeader holds the hex of the body's HMAC-SHA256.
const signatureHeader = "sandbox-signature"

// mostReport is the size at which a report is refused; a real one is some 200 bytes.
const mostReport = 16 << 10

// report is what the sandbox says of a payment or refund by itself. What it says of the
// state is for whoever reads a log: a report can be old when it arrives.
type report struct {
	ID     string       `json:"id"`
	Refund pay.RefundID `json:"refund,omitempty"`
	State  string       `json:"state"`
	At     time.Time    `json:"at"` // not sent before
}

// reportBody is what is sent.
type reportBody struct {
	Payment pay.PaymentID `json:"payment"`
	report
}

// report notes that something is to be reported from then on.
func (e *entry) report(at time.Time, refund pay.RefundID, state string) {
	e.Reports = append(e.Reports, report{e.reportID(), refund, state, at})
}

// reportID is another one for each step of the entry.
func (e *entry) reportID() string {
	return "rep_" + strings.TrimPrefix(string(e.Payment), "pay_") + "_" + strconv.Itoa(len(e.History)) + "_" + strconv.Itoa(len(e.Reports))
}

// misreport reports as some real providers do.
func (e *entry) misreport(h habit, now time.Time) {
	stands := string(e.State)
	switch h {
	case reportsThrice:
		e.report(now, "", stands)
		e.Reports = append(e.Reports, e.Reports[0]) // sent again
		e.report(now, "", stands)                   // told again
	case reportsEarly:
		e.report(now, "", stands)
	case reportsMixed:
		e.report(now, "", stands)
		e.report(now.Add(time.Second), "", string(stateAuthorized))
		e.report(now.Add(2*time.Second), "", string(statePending))
	}
}

// sent strikes a report off, once for each time that it was noted.
func (e *entry) sent(r report, d did) {
	for i := range e.Reports {
		if e.Reports[i].ID == r.ID {
			e.Reports = append(e.Reports[:i:i], e.Reports[i+1:]...)
			e.History = append(e.History, step{opReport, d, r.Refund})
			return
		}
	}
}

// sign makes what is sent of a report.
func (p *Provider) sign(payment pay.PaymentID, r report) provider.RawReport {
	body, err := json.Marshal(reportBody{payment, r})
	if err != nil {
		panic("sandbox: " + err.Error()) // strings and a time
	}
	return provider.RawReport{Header: map[string]string{signatureHeader: hex.EncodeToString(p.mac(body))}, Body: body}
}

func (p *Provider) mac(body []byte) []byte {
	m := hmac.New(sha256.New, p.Key[:])
	m.Write(body)
	return m.Sum(nil)
}

// ReadReport verifies a report and says what it is about.
func (p *Provider) ReadReport(raw provider.RawReport) (provider.Report, error) {
	signature, err := hex.DecodeString(raw.Header[signatureHeader])
	if err != nil || len(raw.Body) > mostReport || !hmac.Equal(signature, p.mac(raw.Body)) {
		return provider.Report{}, provider.ErrForgedReport
	}
	var b reportBody
	if err := json.Unmarshal(raw.Body, &b); err != nil {
		return provider.Report{}, provider.ErrForgedReport
	}
	return provider.Report{ID: b.ID, Payment: b.Payment, Refund: b.Refund}, nil
}
