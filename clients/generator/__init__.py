"""Writes the clients from the gate's own description, docs/spec/openapi.json, and from acts.layout."""
