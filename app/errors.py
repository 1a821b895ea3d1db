"""The errors that a person can mend."""


class UserError(Exception):
    """Its message is one line for the person at the keyboard: the thing, the reason, the way out; never a secret."""
