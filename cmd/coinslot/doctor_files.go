package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
)

// What the doctor finds of the files on its own machine. It opens none of them: to close
// a database that a server has open is the server's alone.

// Of how much free space the doctor warns.
const (
	littleSpace = 1 << 30
	noSpace     = 200 << 20
	longLog     = 1 << 30 // of writes that were not copied back into the database
)

func (d *doctor) examineFiles(dir dataDir, database string) {
	d.tell(permissions(dir, database))
	d.tell(disk(filepath.Dir(database), database))
	d.tell(fileTimes(dir, database))
}

// permissions: nobody but their owner reads or writes what is kept.
func permissions(dir dataDir, database string) gateway.Finding {
	f := gateway.Finding{Check: "files", Verdict: gateway.AllRight, Found: "only their owner can read them"}
	var open []string
	look := func(path string, mask os.FileMode) {
		if info, err := os.Lstat(path); err == nil && info.Mode().Perm()&mask != 0 {
			open = append(open, fmt.Sprintf("%s has mode %o", absolute(path), info.Mode().Perm()))
		}
	}
	look(string(dir), othersWrite)
	for _, path := range []string{dir.vaultFile(), dir.tokenFile(), database, database + "-wal", dir.ledgerFile(), dir.ledgerFile() + "-wal"} {
		look(path, othersRead|othersWrite)
	}
	if len(open) > 0 {
		f.Verdict, f.Found = gateway.Trouble, "others can get at "+list(open, "")
		f.Advice = "chmod 600 the files, and go-w the directory; if secret.key or admin.token could be read, replace them"
	}
	return f
}

// disk: there is room to go on.
func disk(dir, database string) gateway.Finding {
	f := gateway.Finding{Check: "disk", Verdict: gateway.AllRight}
	free, whole, err := diskSpace(dir)
	if err != nil {
		f.Verdict, f.Found = gateway.Noted, "its free space could not be found out: "+err.Error()
		return f
	}
	has, log := sizeOf(database), sizeOf(database+"-wal")
	f.Found = fmt.Sprintf("%s of %s are free; the database has %s, and %s in its log", size(free), size(whole), size(has), size(log))
	const why = "the server cannot take a write once the disk is full"
	switch {
	case free < noSpace:
		f.Verdict, f.Advice = gateway.Trouble, "make room on the disk of "+absolute(dir)+" now: "+why
	case log > longLog:
		f.Verdict, f.Advice = gateway.Trouble, "the log is not copied back: something reads for very long, such as a slow backup, or a replicator that hangs"
	case free < littleSpace || free < has/4:
		f.Verdict, f.Advice = gateway.Noted, "make room on the disk of "+absolute(dir)+": "+why
	}
	return f
}

// sizeOf is a file's length; 0 where there is none.
func sizeOf(path string) int64 {
	if info, err := os.Lstat(path); err == nil {
		return info.Size()
	}
	return 0
}

// fileTimes: no file was written later than now.
func fileTimes(dir dataDir, database string) gateway.Finding {
	f := gateway.Finding{Check: "file times", Verdict: gateway.AllRight, Found: "no file is from the future"}
	const slack = time.Minute
	for _, path := range []string{database, database + "-wal", dir.ledgerFile(), dir.vaultFile(), dir.tokenFile()} {
		if info, err := os.Lstat(path); err == nil && time.Until(info.ModTime()) > slack {
			f.Verdict, f.Found = gateway.Trouble, fmt.Sprintf("%s was written at %s, which is yet to come", absolute(path), info.ModTime().UTC().Format(time.RFC3339))
			f.Advice = "the clock was ahead, or is behind now: set it right and keep it so (chrony, systemd-timesyncd)"
		}
	}
	return f
}
