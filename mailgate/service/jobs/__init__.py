"""The jobs of `service/schedule.py`, one a file: what is due by the clock, each thing once."""
