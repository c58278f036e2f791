"""The compiled part of the features: windows over time, distinct values, what came twice, hashes, tallies.

Columns in, columns out, over numpy arrays. Each kernel decides row by row in the order of arrival, so cutting a stream
into batches anywhere changes nothing. All hashes are 64 bits and assume a little-endian machine.
"""
