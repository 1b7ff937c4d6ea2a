package bench

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// Result is one measurement in one round.
type Result struct {
	Load
	Rate       float64       // requests a second
	PerRequest time.Duration // processor time of the server; 0: not known
	Others     float64       // processors that others were using meanwhile
}

// tooBusy is how many processors others may use before a round is void.
const tooBusy = 0.3

func newResult(load Load, used clocks) Result {
	r := Result{Load: load, Rate: float64(load.Requests) / load.Took.Seconds()}
	if used.known {
		r.PerRequest = used.serving / time.Duration(load.Requests)
		r.Others = used.others().Seconds() / load.Took.Seconds()
	}
	return r
}

func (r Result) void() bool { return r.Others > tooBusy }

// write prints the rates, the ratios, and the rest.
func (b *bench) write(wanted []measurement) error {
	_, _ = fmt.Fprintf(b.Out, "%d rounds of %gs on %d processors (%s/%s), %d connections, every write synced\n\n",
		b.Rounds, b.Seconds, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, b.Connections)
	w := tabwriter.NewWriter(b.Out, 0, 0, 2, ' ', 0)
	b.writeRates(w, wanted)
	_, _ = fmt.Fprintln(w)
	b.writeFigures(w)
	_, _ = fmt.Fprintln(w)
	b.writeStart(w)
	b.writeWatch(w)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

func (b *bench) writeRates(w io.Writer, wanted []measurement) {
	_, _ = fmt.Fprintln(w, "MEASUREMENT\tPER SECOND\tP50\tP99\tCPU EACH\tOTHERS\tVOID")
	for _, m := range wanted {
		all := b.results[m.name]
		good := valid(all)
		_, _ = fmt.Fprintf(w, "%s\t%.0f\t%v\t%v\t%v\t%.2f\t%d of %d\n", m.name,
			median(good, func(r Result) float64 { return r.Rate }),
			median(good, func(r Result) time.Duration { return r.P50 }).Round(time.Microsecond),
			median(good, func(r Result) time.Duration { return r.P99 }).Round(time.Microsecond),
			median(good, func(r Result) time.Duration { return r.PerRequest }).Round(100*time.Nanosecond),
			median(all, func(r Result) float64 { return r.Others }), voided(all), len(all))
	}
}

// valid leaves out rounds in which others were busy; where they always were, it
// leaves all in, and the column of void rounds says so.
func valid(all []Result) []Result {
	good := slices.DeleteFunc(slices.Clone(all), Result.void)
	if len(good) == 0 {
		return all
	}
	return good
}

func voided(all []Result) (n int) {
	for _, r := range all {
		if r.void() {
			n++
		}
	}
	return n
}

func (b *bench) writeFigures(w io.Writer) {
	_, _ = fmt.Fprintln(w, "FIGURE\tMEDIAN\tOF ROUNDS\tBY CPU\tMUST\tAIM\t")
	for _, f := range figures {
		good, all := f.rounds(b.results[f.of], b.results[f.to])
		if len(all) == 0 {
			continue
		}
		by := f.ratio()
		value := median(good, by)
		lower := func(a, b pair) int { return cmp.Compare(by(a), by(b)) }
		least, most := slices.MinFunc(good, lower), slices.MaxFunc(good, lower)
		_, _ = fmt.Fprintf(w, "%s\t%.2f\t%.2f to %.2f\t%.2f\t%g\t%g\t%s\n", f.what, value, by(least), by(most),
			median(good, byCPU), f.must, f.aim, f.verdict(value, len(good) < len(all)))
	}
}

// pair is the two measurements of a figure in one round.
type pair struct{ of, to Result }

func byRate(p pair) float64 { return p.of.Rate / p.to.Rate }

// byCPU is what the ratio would be if the server's processor time were all that
// counts. It is the steadier one where others use the machine too.
func byCPU(p pair) float64 { return float64(p.to.PerRequest) / float64(max(p.of.PerRequest, 1)) }

// byP99 is a ratio of times: that within which ninety-nine of a hundred are answered.
func byP99(p pair) float64 { return float64(p.of.P99) / float64(max(p.to.P99, 1)) }

// rounds pairs the measurements of each round: all of them, and those in which both
// count. Where that is so in none, it is all of them.
func (f figure) rounds(of, to []Result) (good, all []pair) {
	for i := range min(len(of), len(to)) {
		p := pair{of[i], to[i]}
		all = append(all, p)
		if !p.of.void() && !p.to.void() {
			good = append(good, p)
		}
	}
	if len(good) == 0 {
		good = all
	}
	return good, all
}

func (f figure) verdict(value float64, someVoid bool) string {
	reached := func(goal float64) bool { return f.most == (value < goal) || value == goal }
	verdict := "MISSED"
	switch {
	case reached(f.aim):
		verdict = "aim"
	case reached(f.must):
		verdict = "must"
	}
	if someVoid {
		verdict += " (rounds left out)"
	}
	return verdict
}

// What a start may cost.
const (
	mustStart, aimStart   = 150 * time.Millisecond, 50 * time.Millisecond
	mustMemory, aimMemory = 40, 20 // MB
)

func (b *bench) writeStart(w io.Writer) {
	if len(b.starts) == 0 {
		return
	}
	first := median(b.starts, func(s Start) time.Duration { return s.FirstAnswer })
	memory := median(b.starts, func(s Start) int64 { return s.Memory })
	_, _ = fmt.Fprintf(w, "start to first answer, empty\t%v\t\t%v\t%v\n", first.Round(time.Millisecond), mustStart, aimStart)
	_, _ = fmt.Fprintf(w, "memory, idle\t%.1f MB\t\t%d MB\t%d MB\n", float64(memory)/1e6, mustMemory, aimMemory)
}

// median is the middle one of what is taken from each; of none it is zero.
func median[T any, V cmp.Ordered](all []T, take func(T) V) (middle V) {
	values := make([]V, 0, len(all))
	for _, one := range all {
		values = append(values, take(one))
	}
	slices.Sort(values)
	if len(values) > 0 {
		middle = values[len(values)/2]
	}
	return middle
}
