"""The download benchmark: many clients, one model, over real HTTP."""
