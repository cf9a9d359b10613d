"""Detector simulation: the parametric fast simulation on CPU and GPU."""

from fiducial.simulation.card import Card, card_names, load_card
from fiducial.simulation.fastsim import simulate
from fiducial.simulation.steps import FastSim

__all__ = ["Card", "FastSim", "card_names", "load_card", "simulate"]
