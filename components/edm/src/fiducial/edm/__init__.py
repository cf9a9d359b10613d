"""EDM4hep event data model as columnar batches of events."""
