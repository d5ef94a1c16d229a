"""How fast: the same mailings through the same five calls by bare httpx, a plain Celery chain, DBOS and Mailrun."""
