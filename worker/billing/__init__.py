"""Money: costs, quotes, budgets, approval terms, accepted differences and reconciliation."""
