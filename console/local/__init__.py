"""Everything that `mailrun up` starts: embedded servers, workers, and their supervision."""
