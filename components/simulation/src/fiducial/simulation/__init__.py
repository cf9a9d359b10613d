"""Detector simulation: the parametric fast simulation on CPU and GPU."""
