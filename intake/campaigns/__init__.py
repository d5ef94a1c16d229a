"""Campaigns: submit a list, leave out people who got the template lately, write mailings."""
