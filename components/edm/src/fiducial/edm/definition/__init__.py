"""The model language: YAML in podio's grammar, read, checked and turned into Python.

grammar   one member: ``double mass [GeV] // mass``
parse     a file, into a :class:`~fiducial.edm.definition.model.Model`
validate  several models together: do all names lead somewhere?
load      files into checked models
layout    a datatype as columns (:class:`fiducial.edm.schema.TypeSchema`)
generate  the Python modules
document  the reference page
"""
