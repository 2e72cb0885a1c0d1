"""Who may: the principal behind a request, its permissions, and the guard of the API."""
