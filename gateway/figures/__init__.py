"""The figures that pages show, as queries: commitments by municipality, the return board, the map, what is public."""
