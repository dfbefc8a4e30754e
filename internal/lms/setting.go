package lms

// Setting is a decision of the operator as it is in force, without secrets.
type Setting struct {
	Name    string // of the variable
	Value   string // empty: not set
	Meaning Term
}
