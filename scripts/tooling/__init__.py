"""What the commands in `scripts` are made of; runs on a bare Python 3.11, before anything is installed."""
