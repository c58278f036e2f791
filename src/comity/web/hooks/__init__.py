"""Webhooks: addresses that hear of what happens, signed, once for each, and tried for a day."""
