"""The text of a message: what was written now, told apart from what is quoted."""
