package filesheet

// ParseCSV is for the fuzz target.
var ParseCSV = parseCSV
