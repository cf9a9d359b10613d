"""Event generators behind one interface: Pythia 8 and the particle gun."""
