"""Webinars ahead, who registers for them, and their photos."""
