"""The application: it hears by channels, keeps, shows, and lets the outbox answer."""
