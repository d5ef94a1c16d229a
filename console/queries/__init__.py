"""What people ask to see, read from the database: plain facts, for the terminal, for JSON and for pages."""
