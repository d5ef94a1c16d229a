"""Lists of people: open a file, read its records, match its columns and turn rows into recipients."""
