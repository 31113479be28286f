"""The pure core: values in, values out, `now` an argument. No I/O, no clock, no logging."""
