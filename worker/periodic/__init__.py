"""Work that the beat starts: orphan search, retention, webhook delivery, tracking, paid orders, recurrences."""
