"""The simulator's orders, recipients, prices, deliveries and addresses."""
