"""Event selections and the physics quantities that observables are made of."""
