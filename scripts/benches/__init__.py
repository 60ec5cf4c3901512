"""What the registry's speed is measured with: a module for each bench, named as here."""

BENCHES = {
    "hot": "CPU time and rate of the busiest requests over a filled registry, beside bare Starlette",
    "load": "time of filling a registry with made-up artifacts, and the room one takes over its text",
    "rating": "CPU time of rating a model, and the upstream requests of gathering it, the first time and again",
    "start": "time until the server answers, CPU time of its imports, and its memory when idle",
}
"""Every bench, with what it measures."""
