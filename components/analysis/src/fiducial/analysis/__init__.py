"""Event selections and the physics quantities that observables are made of.

Steps (entry points ``fiducial.steps``): ``dimuon_recoil``, ``z_pole_observables``,
``gun_response``, ``cross_section`` fill tables; ``require_dimuon`` filters.
"""
