"""Rating from the terminal: what is to be rated, rating it side by side, and showing what came of it."""
