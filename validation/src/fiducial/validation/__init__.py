"""Reference chains, references, calibrated comparisons and the verdict."""
