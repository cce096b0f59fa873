"""One module a channel kind, named as the kind, with its `RIG`. Hyphens of a kind become underscores."""
