"""The chaos run: the same mailings by Mailrun, a plain Celery chain and a DBOS workflow, under the same blows.

``python -m bench.chaos``, or ``make chaos``. What is thrown at them and how it is judged: docs/chaos.md.
"""
