"""A day written down as a file and played: who writes what when, what each person must see, and what did happen."""
