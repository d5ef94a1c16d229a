"""Events: receive them, run their triggers, collect them into batches and keep receipts."""
