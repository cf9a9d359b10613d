"""Local development on a published stack: working copies laid over it, and what they break."""
