"""Pure judgement: evidence in, scores with their reasons out; no I/O, no clock, no globals that change."""
