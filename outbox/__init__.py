"""A durable queue in the database, and the senders that empty it. Knows no web, no reports, no forms, no schedule."""
