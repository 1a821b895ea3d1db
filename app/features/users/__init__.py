"""Accounts: who somebody is, and who may do what."""
