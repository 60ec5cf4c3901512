"""An invented organisation to play with, served as the Hugging Face Hub and GitHub would serve it."""
