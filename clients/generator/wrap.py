"""Comments in any language, broken into lines."""

import textwrap


def wrapped(text, first, width=110):
    """The text under a prefix, line by line."""
    return [first + line for line in textwrap.wrap(text, width - len(first), break_long_words=False, break_on_hyphens=False)]
