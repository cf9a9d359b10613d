"""CernVM-FS repositories in their own on-disk format: written, read and checked here."""
