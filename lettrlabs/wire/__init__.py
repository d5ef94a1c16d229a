"""The vendor's JSON as types, one file for each subject."""
