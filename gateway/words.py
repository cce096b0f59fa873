"""Closed lists that readers of files need as well as the tables do."""

ROLES = ("monitor", "coordinator", "admin")
CONTACT_STATUSES = ("active", "pending", "suspended", "left")
