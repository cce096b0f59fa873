"""`python -m gateway.cli` is `vocero`."""

from gateway.cli import main

main()
