"""Verbatim: how improbable it is that two authors wrote the same words independently."""
