"""Spack: recipes generated from the workspace, and the builder that drives Spack itself."""
