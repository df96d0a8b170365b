"""Who changed what, kept so that nobody can change it afterwards."""
