package sqlstore

// ShortenMarks makes every list so full of marks that a few rows have many.
func ShortenMarks() { markRows = 2 }
