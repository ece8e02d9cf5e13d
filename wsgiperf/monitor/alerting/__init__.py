"""Alerts: the figures they are about, when they fire and clear, and who is told."""
