"""Actions on campaigns: check, plan, send, watch and the calendar."""
