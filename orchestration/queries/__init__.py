"""The only callers of the statements in `sql/queries`: NamedTuples in, NamedTuples out."""
