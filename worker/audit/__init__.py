"""The record of calls and state changes: journal, hash chain, evidence bundles and archive."""
