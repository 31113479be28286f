"""The commands of technicians and the questions of clients: words, values, durations."""
