"""Portcullis from a Python back end: `Client` asks the gate, `Key` signs, `signing` has what both stand on."""

from .client import Client, Refused
from .signing import Differs, Key, act_digest, challenge, relay

__all__ = ["Client", "Differs", "Key", "Refused", "act_digest", "challenge", "relay"]
