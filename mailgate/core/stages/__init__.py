"""The stages of `intake.STAGES`: who speaks, where, what they say and order, what follows, what is mailed."""
