package pay_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/pay"
)

var update = flag.Bool("update", false, "write docs/states.md")

const statesFile = "../../docs/states.md"

// TestTheDocumentOfStatesIsTrue compares docs/states.md with what the matrices above
// and the comments of the statuses say. With -update it writes the document.
func TestTheDocumentOfStatesIsTrue(t *testing.T) {
	doc := statesDocument(t)
	if *update {
		if err := os.WriteFile(statesFile, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(statesFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(file), doc); diff != "" {
		t.Errorf("docs/states.md is not what the tests say; `go test ./internal/pay -run States -update` writes it (-file +tests):\n%s", diff)
	}
}

func statesDocument(t *testing.T) string {
	var b strings.Builder
	say := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }

	say("# States\n")
	say("Where a session, its payments and their refunds can stand, what each decision does there, and who acts next.")
	say("The tests of `internal/pay` check every cell and write this page: `go test ./internal/pay -run States -update`.\n")
	say("A cell names the status that follows and the events that tell of it; `–` changes nothing and is no error.\n")

	say("## The drawing\n")
	say("```")
	b.WriteString(drawing("pending", sessionEdges()))
	say("")
	b.WriteString(drawing("processing", paymentEdges()))
	say("")
	b.WriteString(drawing("pending (a refund)", refundEdges()))
	say("```\n")
	say("A session is pending for as long as a payment can still be tried or is live. It has at most one live payment")
	say(fmt.Sprintf("(processing or authorized) and at most one that succeeded, ever. A payment that succeeded can have at most %d", pay.MostRefunds))
	say("refunds; those that are pending or have succeeded never add up to more than it took.\n")

	say("## Sessions\n")
	comments := statusComments(t)
	b.WriteString(table([]string{"status", "what it means, and who acts next"}, meanings(pay.SessionStatuses, comments)))
	say("\nWhat can be decided about a session. A session whose deadline has passed reads as expired from that instant on,")
	say("whether or not Expire has stored it yet; one whose payment is live does not expire until that payment ends.\n")
	columns := []string{"session"}
	for _, d := range sessionDecisions {
		columns = append(columns, d.name)
	}
	b.WriteString(table(columns, matrixRows(sessionStandings, sessionMatrix)))

	say("\n## Payments\n")
	b.WriteString(table([]string{"status", "what it means, and who acts next"}, meanings(pay.PaymentStatuses, comments)))
	say("\nWhat the provider says of a payment, in answer to a call, when it is looked up, or by itself. What says nothing")
	say("new, or comes after the payment has ended, changes nothing; money that comes late is returned, and raised as an alarm.\n")
	columns = []string{"payment"}
	for _, k := range pay.OutcomeKinds {
		columns = append(columns, "provider says "+string(k))
	}
	b.WriteString(table(columns, matrixRows(paymentStandings, paymentMatrix)))
	say("\nWhat a game asks of a payment. `capture` and `void` are then asked of the provider, whose outcome decides.\n")
	columns = []string{"payment"}
	for _, r := range requests {
		columns = append(columns, r.name)
	}
	b.WriteString(table(columns, matrixRows(paymentStandings, requestMatrix)))

	say("\n## What a payment's end does to its session\n")
	say("In the same change, and so in the same transaction.\n")
	columns = []string{"the payment"}
	for _, r := range remains {
		columns = append(columns, "left: "+r.name)
	}
	var rows [][]string
	for _, ended := range pay.PaymentStatuses {
		if row, ok := endMatrix[ended]; ok {
			rows = append(rows, append([]string{string(ended)}, row...))
		}
	}
	b.WriteString(table(columns, rows))
	b.WriteString(refundsDocument(comments))
	return b.String()
}

func refundsDocument(comments map[string]string) string {
	var b strings.Builder
	say := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	say("\n## Refunds\n")
	b.WriteString(table([]string{"status", "what it means, and who acts next"}, meanings(pay.RefundStatuses, comments)))
	say("\nWhat CreateRefund does, by how much of the payment it asks for. A refund is stored as pending before the provider")
	say("is asked, and counts against what is left from then on.\n")
	columns := []string{"payment"}
	for _, a := range askedFor {
		columns = append(columns, a.name)
	}
	b.WriteString(table(columns, matrixRows(refundableStandings, startMatrix)))
	say("\nWhat the provider says of a refund, and in brackets where the payment stands then. One that failed or was")
	say("cancelled counts no more, so that the money can be refunded again.\n")
	columns = []string{"refund"}
	for _, status := range pay.RefundStatuses {
		columns = append(columns, "provider says "+string(status))
	}
	var rows [][]string
	for _, st := range refundStandings {
		rows = append(rows, append([]string{st.name}, refundMatrix[st.name]...))
	}
	b.WriteString(table(columns, rows))
	return b.String()
}

func matrixRows(standings []standing, matrix map[string][]string) (rows [][]string) {
	for _, st := range standings {
		rows = append(rows, append([]string{st.name}, matrix[st.name]...))
	}
	return rows
}

func table(columns []string, rows [][]string) string {
	var b strings.Builder
	for _, row := range append([][]string{columns, slices.Repeat([]string{"---"}, len(columns))}, rows...) {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
	return b.String()
}

// An edge is a way from one status to another, and what leads along it.
type edge struct{ from, to, by string }

// sessionEdges are the ways that the matrices of sessions know.
func sessionEdges() (edges []edge) {
	for _, row := range []struct {
		to pay.SessionStatus
		by string
	}{
		{pay.SessionPaid, "a payment succeeded"},
		{pay.SessionFailed, "a payment failed, no attempt left"},
		{pay.SessionCancelled, "the game or the player called it off; or a hold was voided, no attempt left"},
		{pay.SessionExpired, "the deadline passed, no payment live"},
	} {
		edges = append(edges, edge{"pending", string(row.to), row.by})
	}
	return edges
}

// paymentEdges are read from the matrix of payments. A standing that is more than a
// status adds what is not so of the status alone.
func paymentEdges() (edges []edge) {
	for _, st := range paymentStandings {
		from, when, special := strings.Cut(st.name, ", ")
		for i, kind := range pay.OutcomeKinds {
			cell, by := paymentMatrix[st.name][i], string(kind)
			to, _, changes := strings.Cut(cell, ":")
			if !changes || special && cell == paymentMatrix[from][i] {
				continue
			}
			if special {
				by += " where " + when
			}
			at := slices.IndexFunc(edges, func(e edge) bool { return e.from == from && e.to == to })
			if at >= 0 {
				edges[at].by += " or " + by
				continue
			}
			edges = append(edges, edge{from, to, "provider says " + by})
		}
	}
	return append(edges, edge{"succeeded", "refunded", "refunds of all of it succeeded"})
}

// refundEdges are read from the matrix of refunds.
func refundEdges() (edges []edge) {
	for i, status := range pay.RefundStatuses {
		if to, _, changes := strings.Cut(refundMatrix["pending, of all"][i], ":"); changes {
			edges = append(edges, edge{"pending (a refund)", to, "provider says " + string(status)})
		}
	}
	return edges
}

func TestTheDrawingOfSessionsHasEveryWay(t *testing.T) {
	ways := map[string]bool{}
	for _, row := range sessionMatrix {
		note(ways, row)
	}
	for _, row := range endMatrix {
		note(ways, row)
	}
	delete(ways, "pending")
	for _, e := range sessionEdges() {
		if !ways[e.to] {
			t.Errorf("drawn, but not in the tables: pending → %s", e.to)
		}
		delete(ways, e.to)
	}
	for to := range ways {
		t.Errorf("in the tables, but not drawn: pending → %s", to)
	}
}

func note(ways map[string]bool, row []string) {
	for _, text := range row {
		if to, _, changes := strings.Cut(text, ":"); changes && to != "refused" {
			ways[to] = true
		}
	}
}

// drawing draws the ways from a status as a tree, one way to a line.
func drawing(from string, edges []edge) string {
	var b strings.Builder
	b.WriteString(from + "\n")
	draw(&b, from, "  ", edges)
	return b.String()
}

func draw(b *strings.Builder, from, indent string, edges []edge) {
	var ways []edge
	for _, e := range edges {
		if e.from == from {
			ways = append(ways, e)
		}
	}
	for i, e := range ways {
		branch, below := "├─▶ ", "│   "
		if i == len(ways)-1 {
			branch, below = "└─▶ ", "    "
		}
		fmt.Fprintf(b, "%-24s %s\n", indent+branch+e.to, e.by)
		draw(b, e.to, indent+below, edges)
	}
}

func meanings[S ~string](statuses []S, comments map[string]string) (rows [][]string) {
	for _, s := range statuses {
		rows = append(rows, []string{string(s), comments[commentOf(s)]})
	}
	return rows
}

// commentOf is the key of a status in statusComments: its type and its name.
func commentOf[S ~string](s S) string { return reflect.TypeFor[S]().Name() + " " + string(s) }

var statusTypes = map[string]bool{"SessionStatus": true, "PaymentStatus": true, "RefundStatus": true}

// statusComments reads the comment of each status from the source, without the name that it begins with.
func statusComments(t *testing.T) map[string]string {
	t.Helper()
	comments := map[string]string{}
	for _, name := range []string{"session.go", "payment.go", "refund.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			kind, ok := spec.Type.(*ast.Ident)
			value, isText := spec.Values[0].(*ast.BasicLit)
			if !ok || !isText || !statusTypes[kind.Name] {
				return true
			}
			_, comment, _ := strings.Cut(strings.Join(strings.Fields(spec.Doc.Text()), " "), ": ")
			comments[kind.Name+" "+strings.Trim(value.Value, `"`)] = comment
			return true
		})
	}
	return comments
}

func TestEachStatusSaysWhoActsNext(t *testing.T) {
	comments := statusComments(t)
	for _, row := range slices.Concat(meanings(pay.SessionStatuses, comments), meanings(pay.PaymentStatuses, comments), meanings(pay.RefundStatuses, comments)) {
		if !strings.Contains(row[1], "acts next") && !strings.Contains(row[1], "must act next") {
			t.Errorf("the comment of %s does not say who acts next: %q", row[0], row[1])
		}
	}
}
