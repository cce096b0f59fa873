"""Vocero on one machine, to try and to teach: invented people, a phone and a mailbox, and a month of reports."""
