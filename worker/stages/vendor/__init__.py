"""Meanings of the vendor's answers that all stages share: failures, statuses, visibility and payments."""
