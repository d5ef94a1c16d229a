"""A campaign of a million: how fast it is read in and handed over, in how much memory, and how soon it answers."""
