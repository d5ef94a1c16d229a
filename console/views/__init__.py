"""How facts look in a terminal: tables and panels, one noun a file."""
