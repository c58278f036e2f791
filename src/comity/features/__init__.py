"""What a rule can look at: columns in, one column out, the same for one live event and for six months of replay."""
