package bench

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// ticksPerSecond is the unit of /proc: the same on every Linux that Go runs on.
const ticksPerSecond = 100

// clocks is how much processor time was used until a moment: by the process that
// serves, by the one that makes the load, by this one, and by all of the machine.
// Where there is no /proc all are zero, and known is false.
type clocks struct {
	at                          time.Time
	serving, loading, ours, all time.Duration
	known                       bool
}

func readClocks(serving, loading int) clocks {
	c := clocks{at: time.Now()}
	var ok [4]bool
	c.serving, ok[0] = processTime(strconv.Itoa(serving))
	c.loading, ok[1] = processTime(strconv.Itoa(loading))
	c.ours, ok[2] = processTime("self")
	c.all, ok[3] = machineTime()
	c.known = ok == [4]bool{true, true, true, true}
	return c
}

func (c clocks) since(before clocks) clocks {
	return clocks{
		serving: c.serving - before.serving, loading: c.loading - before.loading, ours: c.ours - before.ours,
		all: c.all - before.all, known: c.known && before.known,
	}
}

// others is what no process of the benchmark used.
func (c clocks) others() time.Duration { return max(c.all-c.serving-c.loading-c.ours, 0) }

// processTime is the time that a process spent, in itself and in the kernel.
func processTime(pid string) (time.Duration, bool) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, false
	}
	// The second field is the program's name in brackets and may hold anything.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, false
	}
	return ticks(fields[11]) + ticks(fields[12]), true // utime and stime
}

// machineTime is the time that all processors spent on anything.
func machineTime() (time.Duration, bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 {
		return 0, false
	}
	var sum time.Duration
	for i, field := range fields[1:9] {
		if i != 3 && i != 4 { // idle, and idle waiting for a disk
			sum += ticks(field)
		}
	}
	return sum, true
}

func ticks(text string) time.Duration {
	n, _ := strconv.ParseInt(text, 10, 64)
	return time.Duration(n) * time.Second / ticksPerSecond
}

// residentMemory is how much of a process is in memory, in bytes.
func residentMemory(pid int) int64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if kilobytes, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.ParseInt(strings.Fields(kilobytes)[0], 10, 64)
			return n << 10
		}
	}
	return 0
}
