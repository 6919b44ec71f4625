package filesheet

// ParseCSV is for the fuzz target.
var ParseCSV = parseCSV

// HasColumns is held against the names that package rows requires, which an adapter does not
// import.
var HasColumns = hasColumns
