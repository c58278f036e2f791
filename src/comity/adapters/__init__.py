"""The platforms' words stop here: readers of exports, and live adapters. They see the core only."""
