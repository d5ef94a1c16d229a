"""Drafts at the vendor that belong to no mailing: find them, adopt or delete them, hold back creates meanwhile."""
