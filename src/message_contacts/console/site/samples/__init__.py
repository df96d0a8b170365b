"""One call of an operation as a program in several languages, and as the text that is signed."""
