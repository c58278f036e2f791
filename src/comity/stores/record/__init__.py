"""The record: what was said in rooms that agreed to it, encrypted, tamper-evident, and destroyed when its term is over.

Events go first into frames in the operational store, in the transaction of their turn (``tail``), and from there into
sealed segments: Parquet files by week and member (``segment``), each with a key of its own (``keys``) and a link in the
chain (``links``). ``Record`` is the way in.
"""
